/** A little over the document's own functions. */
type Child = Node | string | undefined | false
type Attributes = Record<string, string | boolean | ((e: Event) => void) | undefined>

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: (Child | Child[])[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') e.addEventListener(name, value)
    else if (value === true) e.setAttribute(name, '')
    else if (typeof value === 'string') e.setAttribute(name, value)
  }
  for (const c of children.flat()) if (c !== undefined && c !== false) e.append(c)
  return e
}

/** A button that opens the system's own dialogue for files, or for a folder. */
export function picker(label: string, folder: boolean, take: (files: File[]) => void, main = false, id = ''): HTMLElement {
  const input = h('input', { type: 'file', multiple: true, hidden: true, id, tabindex: '-1', webkitdirectory: folder, change: () => { take([...(input.files ?? [])]); input.value = '' } })
  return h('span', {}, input, h('button', { type: 'button', class: main ? 'main' : '', click: () => input.click() }, label))
}

/** A place to drop files and folders on. */
export function dropZone(take: (files: Dropped[]) => void, ...children: Child[]): HTMLElement {
  const over = (on: boolean) => (e: Event): void => { e.preventDefault(); zone.classList.toggle('over', on) }
  const zone = h('div', { class: 'drop', dragover: over(true), dragleave: over(false), drop: (e) => { over(false)(e); void dropped((e as DragEvent).dataTransfer!).then(take) } }, ...children)
  return zone
}

/** `path` within a folder that was given as one, `top` its name. */
export interface Dropped { file: File, top: string | undefined, path: string }

export const pickedFolder = (files: File[]): Dropped[] => files.map((file) => {
  const [top, ...rest] = file.webkitRelativePath.split('/')
  return { file, top, path: rest.join('/') }
})
export const pickedFiles = (files: File[]): Dropped[] => files.map((file) => ({ file, top: undefined, path: file.name }))

async function dropped(data: DataTransfer): Promise<Dropped[]> {
  const entries = [...data.items].map((i) => i.webkitGetAsEntry()).filter((e) => e !== null), out: Dropped[] = []
  const fileOf = (e: FileSystemFileEntry): Promise<File> => new Promise((resolve, reject) => e.file(resolve, reject))
  const some = (r: FileSystemDirectoryReader): Promise<FileSystemEntry[]> => new Promise((resolve, reject) => r.readEntries(resolve, reject))
  const walk = async (e: FileSystemEntry, top: string | undefined, path: string): Promise<void> => {
    if (e.isFile) return void out.push({ file: await fileOf(e as FileSystemFileEntry), top, path: path || e.name })
    const reader = (e as FileSystemDirectoryEntry).createReader()
    for (let part = await some(reader); part.length > 0; part = await some(reader)) // a reader gives a hundred at a time
      for (const child of part) await walk(child, top ?? e.name, path ? `${path}/${child.name}` : child.name)
  }
  for (const e of entries) await walk(e, undefined, '')
  return out
}
