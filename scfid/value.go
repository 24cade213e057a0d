package scfid

import (
	"encoding/json"
	"math"
)

// Value is a number that may be missing: NaN, which JSON writes as null.
type Value float64

// missing is the absent value; nothing changes it.
var missing = Value(math.NaN())

// Missing reports whether there is no value.
func (v Value) Missing() bool { return math.IsNaN(float64(v)) }

// MarshalJSON writes null for a missing value, and for an infinite one, which JSON
// has no word for.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.Missing() || math.IsInf(float64(v), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(v))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*v = missing
		return nil
	}
	return json.Unmarshal(b, (*float64)(v))
}
