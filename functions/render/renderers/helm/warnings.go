package main

import (
	"context"
	"log/slog"
	"strings"

	"drawbridge.dev/box"
)

// warnings hands helm's own log on, from warnings up.
type warnings struct{}

func (warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (warnings) Handle(_ context.Context, record slog.Record) error {
	text := record.Message
	record.Attrs(func(attribute slog.Attr) bool {
		text += " " + attribute.String()
		return true
	})
	box.TellWarning(text)
	return nil
}

func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }
func (w warnings) WithGroup(string) slog.Handler      { return w }

// warningWriter hands on what helm's older packages print.
type warningWriter struct{}

func (warningWriter) Write(text []byte) (int, error) {
	box.TellWarning(strings.TrimSpace(string(text)))
	return len(text), nil
}
