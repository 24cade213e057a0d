package analysis

import (
	"encoding/json"
	"math"
	"strconv"
)

// Number is a number that may be missing, NaN: null in JSON and empty in a table.
type Number float64

// missing is a number that is not there.
func missing() Number { return Number(math.NaN()) }

// Missing reports that there is no number.
func (n Number) Missing() bool { return math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) }

// MarshalJSON writes the shortest form that reads as the same number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if n.Missing() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = missing()
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// String is the number as in a table: six significant digits are more than any score
// has, but p-values and tests of equality want them all.
func (n Number) String() string {
	if n.Missing() {
		return ""
	}
	return strconv.FormatFloat(float64(n), 'g', -1, 64)
}
