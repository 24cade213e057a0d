package compare

import (
	"encoding/json"
	"math"
)

// Number is a number that may be missing: NaN, which JSON writes as null.
type Number float64

func missing() Number { return Number(math.NaN()) }

// Missing reports whether there is no number.
func (n Number) Missing() bool { return math.IsNaN(float64(n)) }

// MarshalJSON writes null for a missing number, and for an infinite one, which JSON has
// no word for.
func (n Number) MarshalJSON() ([]byte, error) {
	if n.Missing() || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = missing()
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}
