package main

import (
	"crypto/rand"
	mapkeys "maps"
	"math/big"
	"slices"
	"text/template"
)

// helmVersion is what charts see as .Capabilities.HelmVersion.Version; a release of helm gets it from its linker flags.
const helmVersion = "v4.1.4"

// randomFunctions replace the template functions whose randomness comes from a generator of the process: these take theirs
// from crypto/rand, as all others do, where the host counts it.
var randomFunctions = template.FuncMap{
	"randInt": func(from, to int) int { return from + below(to-from) },
	// Go's maps have no order, and sprig's lists of them have another one each time.
	"keys": func(maps ...map[string]any) []string {
		var all []string
		for _, each := range maps {
			all = append(all, slices.Sorted(mapkeys.Keys(each))...)
		}
		return all
	},
	"values": func(dictionary map[string]any) []any {
		all := []any{}
		for _, key := range slices.Sorted(mapkeys.Keys(dictionary)) {
			all = append(all, dictionary[key])
		}
		return all
	},
	"shuffle": func(text string) string {
		letters := []rune(text)
		for last := len(letters) - 1; last > 0; last-- {
			other := below(last + 1)
			letters[last], letters[other] = letters[other], letters[last]
		}
		return string(letters)
	},
}

// below gives a random number from 0 to limit-1. It panics where limit is not positive, as sprig's randInt does.
func below(limit int) int {
	if limit <= 0 {
		panic("invalid argument to randInt: the range is empty")
	}
	number, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		panic(err)
	}
	return int(number.Int64())
}
