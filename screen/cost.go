package screen

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cellsentence/c2s/screen/record"
)

// Power is what a screen of these donors can find.
type Power struct {
	Donors [2]int `json:"donors"` // by context
	// Shared counts the donors that are in both.
	Shared int `json:"shared_donors"`
	// Effect is the least effect in the positive context, in standard deviations of a
	// donor's mean effect, at which a compound without an effect in the neutral one has
	// its split found four times in five at p = 0.001, which is a false discovery rate
	// of 0.1 where one compound in a hundred is a hit. It is 0 where there is no test.
	Effect float64 `json:"minimum_detectable_effect"`
	// Margin is the least margin, in the same unit, at which such a compound passes for
	// unmoved in the neutral context four times in five at p = 0.05.
	Margin float64 `json:"minimum_margin"`
}

// priorFreedom is what the moderated variance is taken to add to a compound's own
// degrees of freedom, as in simulations of this design.
const priorFreedom = 4

func (p *Plan) power() Power {
	var w Power
	for _, c := range p.Clusters {
		if c.In[0] && c.In[1] {
			w.Shared++
		}
		for x := range w.Donors {
			if c.In[x] {
				w.Donors[x]++
			}
		}
	}
	a, b := float64(w.Donors[0]), float64(w.Donors[1])
	if a < 2 || b < 2 {
		return w
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: a + b - 2 + priorFreedom}
	// The normal approximation of the noncentral t: quantile of the test plus that of
	// the power.
	w.Effect = (t.Quantile(0.999) + t.Quantile(0.8)) * math.Sqrt(1/a+1/b)
	w.Margin = (t.Quantile(0.95) + t.Quantile(0.9)) * math.Sqrt(1/b)
	return w
}

// Cost is what a plan asks for. Tokens are guessed at 3.5 a gene, as Gemma's tokenizer
// takes for symbols.
type Cost struct {
	// Predictions is the most that can be asked, Least what is asked where every
	// compound of the design racing is dropped; doses of leading compounds are not
	// counted.
	Predictions  int `json:"predictions"`
	Least        int `json:"least_predictions"`
	PromptTokens int `json:"prompt_tokens"`
	AnswerTokens int `json:"answer_tokens"`
	// Hours and Money are null where no rate and no price is given.
	Hours *float64 `json:"hours"`
	Money *float64 `json:"money"`
}

const (
	tokensPerGene = 3.5
	tokensOfWords = 60 // the instruction, names and signs of a prompt
)

func (p *Plan) cost() Cost {
	cfg := p.cfg
	cells, first := len(p.Cells[0])+len(p.Cells[1]), 0
	for x := range p.Cells {
		for _, c := range p.Cells[x] {
			if c.Rank < cfg.Racing.First && x == int(record.Positive) {
				first++
			}
		}
	}
	var c Cost
	fixed := cells * p.Draws
	if cfg.Controls.Interferon.Name != "" {
		fixed += len(p.Cells[record.Neutral]) * p.Draws
	}
	raced := 0
	for _, item := range p.Items {
		switch item.Kind {
		case record.Control:
			fixed += cells
		case record.Test, record.Decoy:
			raced++
		}
	}
	c.Predictions, c.Least = fixed+raced*cells, fixed+raced*cells
	if cfg.Design == designRacing {
		c.Least = fixed + raced*first
	}
	words := tokensPerGene * float64(p.Genes)
	c.PromptTokens = int(float64(c.Predictions) * (words + tokensOfWords))
	c.AnswerTokens = int(float64(c.Predictions) * words)
	if cfg.Price.Rate > 0 {
		hours := float64(c.Predictions) / cfg.Price.Rate / 3600
		c.Hours = &hours
	}
	switch money := cfg.Price.money(c.PromptTokens, c.AnswerTokens, 0); {
	case cfg.Price.Hour > 0 && c.Hours != nil:
		money += cfg.Price.Hour * *c.Hours
		c.Money = &money
	case cfg.Price.Hour == 0 && cfg.Price.Prompt+cfg.Price.Answer > 0:
		c.Money = &money
	}
	return c
}

// money is the price of tokens and hours.
func (p Price) money(prompt, answer int, hours float64) float64 {
	return (float64(prompt)*p.Prompt+float64(answer)*p.Answer)/1e6 + hours*p.Hour
}
