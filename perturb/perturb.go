// Package perturb predicts what a cell becomes under a perturbation: a drug, a
// cytokine, an edited gene, or several at once.
//
// Start with [Predictor]: it turns control cells into perturbed ones, whether by a
// language model, by a mean shift learnt from other cells, or by a simulation whose
// truth is known; whoever asks does not see which. Package perturb/predictor has the
// predictors, and perturb/pairs makes the data that models are trained on. Package
// perturb/score judges predictions, perturb/reward rewards them while a model trains, and
// perturb/grpo, perturb/scaling follow that training.
//
// Cells are sentences and expression at once, since models read the one and shifts the
// other. The task is that of C2S-Scale (Rizvi et al., bioRxiv 2025.04.14.648850).
package perturb

import "context"

// Predictor says what control cells become. It may be used concurrently, and the same
// request gets the same response, however requests are grouped and ordered: randomness
// is keyed by the seed of the request and the row of the cell.
type Predictor interface {
	// Predict answers for each cell of a request, in order. An answer that is not a cell
	// is no error: it is in the response with its flags.
	Predict(ctx context.Context, r Request) (Response, error)
	// Info says what the predictor is; journals and manifests keep it.
	Info() Info
}

// Info describes a predictor.
type Info struct {
	// Name is that of the command's --predictor.
	Name string `json:"name"`
	// Model is the model or the reference that it predicts from, as shown to people.
	Model string `json:"model,omitempty"`
	// Notice must stand on everything that is made with it, as with a toy model.
	Notice string `json:"notice,omitempty"`
	// Digest changes when answers may change: of the weights and words of a model, of the
	// values of a reference.
	Digest string `json:"digest"`
	// Sentences and Values say which part of a cell is read; the other may be empty.
	Sentences bool `json:"sentences"`
	Values    bool `json:"values"`
}

// Request asks about one perturbation of one or more control cells.
type Request struct {
	Cells        []Cell
	Perturbation Perturbation
	// Context is where the cells are, in the words of the model or the groups of the
	// reference; "" if it is not told.
	Context string
	// CellType is the type of all cells of the request; "" if it is not told.
	CellType string
	// Donor is whose cells they are, "" if it is not told. No answer may depend on it but
	// that of a reference which leaves the donor out.
	Donor string
	// Organism is "" for Homo sapiens.
	Organism string
	// Seed picks the answers: requests that differ in it alone are independent draws.
	Seed uint64
}

// Cell is a control cell.
type Cell struct {
	// Row is its number in its file, from 0.
	Row int
	// Genes is the cell sentence: names by falling expression.
	Genes []string
	// Values are log-normalised expression, ln(1 + counts per 10,000), of the gene axis
	// that the predictor was made with.
	Values []float32
}

// Perturbation is what is done to a cell.
type Perturbation struct {
	// Parts are the drugs, cytokines or genes, one or more, each with its dose; in the
	// order given, which no predictor but a language model may notice. Without a part the
	// request is for the vehicle.
	Parts []Part
	// Time is the time of exposure with its unit, such as "6 h"; "" if it is not told.
	Time string
}

// Part is one of the agents of a perturbation.
type Part struct {
	Name string
	// Dose is the amount with its unit, such as "0.1 uM"; "" if it is not told.
	Dose string
}

// Response holds an answer for each cell of the request.
type Response struct {
	Cells []Predicted
	// PromptTokens, CachedTokens and AnswerTokens are what a language model read, did not
	// have to read again, and wrote, summed over the cells.
	PromptTokens, CachedTokens, AnswerTokens int
}

// Predicted is a perturbed cell.
type Predicted struct {
	// Genes is its sentence: known genes, each once.
	Genes []string
	// Values are its expression on the predictor's gene axis, nil if the predictor gives a
	// sentence only, which a rank model can decode.
	Values []float32
	// Answer is the text of a language model, with all that was wrong in it.
	Answer string
	Flags  Flags
}

// Flags are what is known of an answer beside the cell.
type Flags struct {
	// Words counts the words of the answer, Unknown those that are no genes of the
	// vocabulary, Repeats those that came before.
	Words, Unknown, Repeats int
	// Valid is an answer that is a cell sentence: it has genes, 9 of 10 words are known
	// genes, at most 1 of 5 is a repeat, and it ended by itself.
	Valid bool
	// Copy is an answer with the genes of the control cell in the same order.
	Copy bool
	// Stop says why a language model ended, as llm.Stop; "" for others.
	Stop string
}
