module drawbridge.dev/box

go 1.26
