// Package manifests reads YAML and JSON as kubectl reads them: documents split by its decoder, scalars by sigs.k8s.io/yaml.
package manifests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"drawbridge.dev/box"
	kubeyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Keys says what becomes of a mapping that names a key twice.
type Keys int

const (
	// LastKeyWins is how kubectl reads: what renderers print comes like this.
	LastKeyWins Keys = iota
	// UniqueKeys refuses it: in a file that a person wrote it is a mistake.
	UniqueKeys
)

// Read hands out the objects of a stream of documents. `place` is where the stream begins.
func Read(stream []byte, place box.Place, keys Keys) *box.Problem {
	if line := invalidUTF8(stream); line > 0 {
		return invalid("it is not UTF-8", at(place, line))
	}
	if _, _, isJSON := kubeyaml.GuessJSONStream(bytes.NewReader(stream), 4096); isJSON {
		return readJSON(stream, place, keys)
	}
	return readYAML(stream, place, keys)
}

func readYAML(stream []byte, place box.Place, keys Keys) *box.Problem {
	reader := kubeyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	line := 1
	rest := stream
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalid(err.Error(), at(place, line))
		}
		// The reader drops separators; the document itself is a part of the stream as it stands.
		if skipped := bytes.Index(rest, document); skipped >= 0 {
			line += bytes.Count(rest[:skipped], newline)
			rest = rest[skipped:]
		}
		if problem := readDocument(document, at(place, line), keys); problem != nil {
			return problem
		}
		line += bytes.Count(document, newline)
		rest = rest[min(len(document), len(rest)):]
	}
}

var newline = []byte("\n")

func readDocument(document []byte, place box.Place, keys Keys) *box.Problem {
	convert := yaml.YAMLToJSON
	if keys == UniqueKeys {
		convert = yaml.YAMLToJSONStrict
	}
	value, err := convert(document)
	if err != nil && keys == UniqueKeys && !repeatsKey(document) {
		// Strict reading takes a key that overrides one of a merge for a repetition.
		value, err = yaml.YAMLToJSON(document)
	}
	if err != nil {
		message, line := Words(err)
		if line == 0 {
			line = controlCharacter(document)
		}
		if line == 0 {
			return invalid(message, at(place, 1+leading(document)))
		}
		// What ends too soon is told of the line after the last: that of the last words helps more.
		line = min(line, 1+bytes.Count(bytes.TrimRight(document, " \t\r\n"), newline))
		return invalid(message, at(place, line))
	}
	if bytes.Equal(value, null) {
		return nil
	}
	box.TellObject(at(place, 1+leading(document)), value)
	return nil
}

var null = []byte("null")

// readJSON reads JSON values one after the other. As kubectl does, it goes on as YAML where one value at most was found before
// something else: such as a line of dashes.
func readJSON(stream []byte, place box.Place, keys Keys) *box.Problem {
	decoder := json.NewDecoder(bytes.NewReader(stream))
	for count := 0; ; count++ {
		before := int(decoder.InputOffset())
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if count <= 1 {
				rest := bytes.TrimLeft(stream[before:], " \t\r\n")
				if readYAML(rest, at(place, lineAt(stream, len(stream)-len(rest))), keys) == nil {
					return nil
				}
			}
			offset := before
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				offset = int(syntax.Offset)
			}
			return invalid("it is not JSON: "+err.Error(), at(place, lineAt(stream, offset)))
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			return invalid("it is not JSON: "+err.Error(), place)
		}
		if !bytes.Equal(compact.Bytes(), null) {
			box.TellObject(at(place, lineAt(stream, int(decoder.InputOffset())-len(value))), compact.Bytes())
		}
	}
}

// lineAt is the line, counted from 1, of a place in a stream.
func lineAt(stream []byte, offset int) int {
	return 1 + bytes.Count(stream[:min(offset, len(stream))], newline)
}

func invalid(message string, place box.Place) *box.Problem {
	return &box.Problem{Code: "YAML_INVALID", Message: message, Place: place}
}

// at is the place of a line that counts from 1 at `place`.
func at(place box.Place, line int) box.Place {
	return box.Place{File: place.File, Line: max(place.Line, 1) + line - 1}
}

// leading counts the lines of a document before its first content.
func leading(document []byte) int {
	lines := 0
	for line := range bytes.Lines(document) {
		text := strings.TrimSpace(string(line))
		if text != "" && text[0] != '#' && !strings.HasPrefix(text, "---") {
			return lines
		}
		lines++
	}
	return 0
}

// Words gives what a YAML reader says without its own prefixes, and the line that it names, or 0.
func Words(err error) (string, int) {
	text := err.Error()
	for _, prefix := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:\n  "} {
		text = strings.TrimPrefix(text, prefix)
	}
	text, _, _ = strings.Cut(text, "\n")
	var line int
	if count, _ := fmt.Sscanf(text, "line %d:", &line); count == 1 {
		_, text, _ = strings.Cut(text, ": ")
	}
	// What the reader's parser says, unlike its scanner, counts lines from 0 and leaves the first one out.
	if strings.HasPrefix(text, "did not find expected") {
		line++
	}
	// The name of an anchor may be a password that nobody put in quotes.
	if before, after, found := strings.Cut(text, "anchor '"); found {
		_, after, _ = strings.Cut(after, "'")
		text = before + "anchor" + after
	}
	return text, line
}

// invalidUTF8 gives the line of the first byte that is no UTF-8, or 0.
func invalidUTF8(stream []byte) int {
	if utf8.Valid(stream) {
		return 0
	}
	line := 1
	for text := range bytes.Lines(stream) {
		if !utf8.Valid(text) {
			return line
		}
		line++
	}
	return line
}

// controlCharacter gives the line of the first character that YAML does not allow (YAML 1.1, section 5.1), or 0.
func controlCharacter(document []byte) int {
	line := 1
	for _, character := range string(document) {
		switch {
		case character == '\n':
			line++
		case character == '\t' || character == '\r' || character == 0x85:
		case character < 0x20 || character >= 0x7f && character < 0xa0 || character == 0xfffe || character == 0xffff:
			return line
		}
	}
	return 0
}
