package h5ad

// For tests against numpy.result_type and natsort.
var (
	ResultType = resultType
	Natural    = natural
)

// MostOpen is how many files are held open.
const MostOpen = mostOpen
