package main

import (
	"text/template"
	"time"

	"drawbridge.dev/box"
	"github.com/Masterminds/sprig/v3"
)

// clockFunctions are the template functions that look at the clock. They tell so: a render that asked for the time is another one
// at another commit. The host cannot tell by the clock itself, which Go's garbage collector reads too.
func clockFunctions() template.FuncMap {
	original := sprig.TxtFuncMap()
	ago := original["ago"].(func(any) string)
	durationRound := original["durationRound"].(func(any) string)
	date := original["date"].(func(string, any) string)
	dateInZone := original["dateInZone"].(func(string, any, string) string)
	htmlDate := original["htmlDate"].(func(any) string)
	htmlDateInZone := original["htmlDateInZone"].(func(any, string) string)
	inZone := func(format string, value any, zone string) string {
		tellUnlessTime(value)
		return dateInZone(format, value, zone)
	}
	return template.FuncMap{
		"now": func() time.Time {
			box.TellClock()
			return time.Now()
		},
		"ago": func(value any) string {
			box.TellClock()
			return ago(value)
		},
		"durationRound": func(value any) string {
			if _, isTime := value.(time.Time); isTime {
				box.TellClock()
			}
			return durationRound(value)
		},
		"date": func(format string, value any) string {
			tellUnlessTime(value)
			return date(format, value)
		},
		"dateInZone":   inZone,
		"date_in_zone": inZone,
		"htmlDate": func(value any) string {
			tellUnlessTime(value)
			return htmlDate(value)
		},
		"htmlDateInZone": func(value any, zone string) string {
			tellUnlessTime(value)
			return htmlDateInZone(value, zone)
		},
	}
}

// tellUnlessTime tells of the clock where a function takes the time of now in place of a value that is no time.
func tellUnlessTime(value any) {
	switch value.(type) {
	case time.Time, *time.Time, int64, int, int32:
	default:
		box.TellClock()
	}
}
