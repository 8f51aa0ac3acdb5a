// Package pricing says what it is.
package pricing

// Name is its name.
func Name() string { return "the private pricing" }
