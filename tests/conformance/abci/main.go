// abci-fields prints random messages of ABCI and of the remote signer as CometBFT's own code encodes them, one a line: "request HEX",
// "response HEX" or "signer HEX".
//
//	abci-fields SEED COUNT
//
// Every method in turn. Fields are set or left alone by chance, numbers are drawn from the edges of their types.
package main

import (
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"reflect"
	"strconv"
	"time"

	"github.com/cometbft/cometbft/abci/types"
	crypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	"github.com/cometbft/cometbft/proto/tendermint/privval"
)

var chance *rand.Rand

// What a field of an interface type may hold: the kinds of a key.
var keys = []any{&crypto.PublicKey_Ed25519{}, &crypto.PublicKey_Secp256K1{}}

func number(bits int) int64 {
	edges := []int64{0, 1, -1, 127, 128, 300, 1<<31 - 1, -1 << 31, 1<<63 - 1, -1 << 63, chance.Int63()}
	v := edges[chance.Intn(len(edges))]
	return v << (64 - bits) >> (64 - bits)
}

func some(n int) []byte {
	b := make([]byte, chance.Intn(n))
	chance.Read(b)
	return b
}

func fill(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(chance.Int63n(1<<34)-1<<33, chance.Int63n(1e9)).UTC()))
		return
	case time.Duration:
		v.SetInt(number(64))
		return
	}
	if depth > 1 && chance.Intn(4) == 0 {
		return // left alone
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(chance.Intn(2) == 1)
	case reflect.Int32:
		v.SetInt(number(32))
	case reflect.Int64:
		v.SetInt(number(64))
	case reflect.Uint32:
		v.SetUint(uint64(uint32(number(32))))
	case reflect.Uint64:
		v.SetUint(uint64(number(64)))
	case reflect.String:
		v.SetString([]string{"", "a", "/store/log/key", "é中", "0123456789abcdef"}[chance.Intn(5)])
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(some(70))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), chance.Intn(4), 4))
		for i := 0; i < v.Len(); i++ {
			fill(v.Index(i), 1) // never left alone: an element is there
		}
	case reflect.Ptr:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Struct:
		for i := 0; i < v.NumField(); i++ {
			fill(v.Field(i), depth+1)
		}
	case reflect.Interface:
		one := reflect.New(reflect.TypeOf(keys[chance.Intn(len(keys))]).Elem())
		one.Elem().Field(0).SetBytes(some(40))
		v.Set(one)
	}
}

// An envelope around a message of the n-th kind; `field` is where it lies.
func envelope(of any, field string, wrappers []any, n int) {
	one := reflect.New(reflect.TypeOf(wrappers[n%len(wrappers)]).Elem())
	body := one.Elem().Field(0)
	body.Set(reflect.New(body.Type().Elem()))
	fill(body.Elem(), 0)
	reflect.ValueOf(of).Elem().FieldByName(field).Set(one)
}

func show(name string, m interface{ Marshal() ([]byte, error) }) {
	b, err := m.Marshal()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(name, hex.EncodeToString(b))
}

func main() {
	seed, _ := strconv.ParseInt(os.Args[1], 10, 64)
	count, _ := strconv.Atoi(os.Args[2])
	chance = rand.New(rand.NewSource(seed))
	for i := 0; i < count; i++ {
		request, response, signer := &types.Request{}, &types.Response{}, &privval.Message{}
		envelope(request, "Value", request.XXX_OneofWrappers(), i)
		envelope(response, "Value", response.XXX_OneofWrappers(), i)
		envelope(signer, "Sum", signer.XXX_OneofWrappers(), i)
		show("request", request)
		show("response", response)
		show("signer", signer)
	}
}
