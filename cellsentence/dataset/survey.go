package dataset

import (
	"bytes"
	"context"
	"math"
	"strings"
)

// What can lead a sentence.
const (
	leadRibosomal = iota
	leadMitochondrial
	leadStress
	leads
)

var leadNames = [leads]string{"ribosomal", "mitochondrial", "stress"}

// leadWords is how many words lead a sentence. Among the first ten of ordinary PBMC
// five are ribosomal in 59 % of cells, so that a count of ten could not tell who has
// more.
const leadWords = 50

// topWords is how many words the content of a sentence is told by.
const topWords = 100

// leadWeight is how much the word at a place from 0 on counts, as in discounted
// cumulated gain (Järvelin and Kekäläinen, ACM Transactions on Information Systems
// 20:422, 2002): the first four times the fifteenth.
func leadWeight(place int) float64 { return 1 / math.Log2(float64(place+2)) }

// leadKind tells what kind of gene a name is, −1 for most.
func leadKind(gene string) int {
	switch {
	case strings.HasPrefix(gene, "MT-"):
		return leadMitochondrial
	case strings.HasPrefix(gene, "RPL") || strings.HasPrefix(gene, "RPS"):
		// RPS6KA1 and its like are kinases of ribosomal proteins.
		if rest := gene[3:]; rest != "" && (rest[0] >= '0' && rest[0] <= '9' || rest[0] == 'P' || rest == "A") && !strings.Contains(rest, "K") {
			return leadRibosomal
		}
	case stressGenes[gene]:
		return leadStress
	}
	return -1
}

// stressGenes answer to heat, unfolded proteins and the dissociation of tissue: heat
// shock proteins and immediate early genes (van den Brink et al., Nature Methods
// 14:935, 2017, name most of them).
var stressGenes = setOf(`HSPA1A HSPA1B HSPA6 HSPA8 HSPA5 HSPB1 HSPH1 HSPD1 HSPE1 HSP90AA1 HSP90AB1 DNAJB1 DNAJA1 DNAJB4 DNAJB6 DNAJB9
BAG3 CRYAB SERPINH1 CHORDC1 CACYBP ATF3 ATF4 DDIT3 DDIT4 FOS FOSB FOSL1 JUN JUNB JUND EGR1 EGR2 EGR3 IER2 IER3 IER5 ZFP36 NR4A1
SOCS3 HERPUD1 PPP1R15A GADD45B GADD45A XBP1 MT1X MT2A HMOX1`)

func setOf(list string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		out[w] = true
	}
	return out
}

// survey reads a dataset for the first time.
func (a *auditor) survey(ctx context.Context, input int) error {
	a.starts = append(a.starts, len(a.rows))
	in := &a.report.Inputs[input]
	if a.profile == nil {
		a.profile = new(profiles)
	}
	s := &surveyor{auditor: a, seen: map[int32]bool{}}
	for b, err := range Read(ctx, a.inputs[input].Path, a.read()) {
		if err != nil {
			return err
		}
		text, label, name := b.Column(a.cfg.Text), b.Column(a.cfg.Label), b.Column(a.cfg.Name)
		for i := range b.Rows() {
			r := auditRow{input: int32(input), label: -1, group: -1}
			if label != nil && !label.Missing[i] {
				s.buf = label.Print(s.buf[:0], i)
				r.label = a.labels.number(s.buf)
			}
			if name != nil && !name.Missing[i] {
				s.buf = name.Print(s.buf[:0], i)
				r.name = hashText(s.buf)
			}
			for k, g := range a.groups {
				g.add(b.Column(a.cfg.Groups[k]), i)
			}
			s.sentence(&r, text.TextAt(i))
			a.rows = append(a.rows, r)
			in.Rows++
		}
	}
	return nil
}

// surveyor reads sentences.
type surveyor struct {
	*auditor
	buf    []byte
	seen   map[int32]bool
	top    []int32
	hashes []uint64
	kinds  []int8 // of each gene: leadKind, +1
	known  []int8 // of each gene: 1 in the vocabulary, −1 not
}

// words calls visit for each word of a sentence.
func (a *auditor) words(text []byte, visit func(word []byte)) {
	delimiter := []byte(a.cfg.Delimiter)
	for len(text) > 0 {
		word, rest, _ := bytes.Cut(text, delimiter)
		if len(word) > 0 {
			visit(word)
		}
		text = rest
	}
}

func (s *surveyor) sentence(r *auditRow, text []byte) {
	a := s.auditor
	clear(s.seen)
	s.top, s.hashes = s.top[:0], s.hashes[:0]
	a.words(text, func(word []byte) {
		g := a.genes.number(word)
		r.words++
		s.hashes = append(s.hashes, hashText(word))
		if g < 0 {
			r.unknown++
			return
		}
		s.classify(g)
		if s.known[g] < 0 {
			r.unknown++
			a.report.Unknown.count(g, a.genes.words[g])
		}
		if s.seen[g] {
			r.flags |= FlagRepeat
			return
		}
		s.seen[g] = true
		if n := len(s.top); n < leadWords {
			w := float32(leadWeight(n))
			r.leadOf += w
			if k := s.kinds[g]; k > 0 {
				r.lead[k-1] += w
			}
		}
		if m := a.marks[g]; m > 0 && len(s.top) < topWords {
			r.lineage[m-1]++
		}
		if len(s.top) < orderWords {
			s.top = append(s.top, g)
		}
	})
	r.text = hashText(text)
	if r.words == 0 {
		r.flags |= FlagEmpty
	}
	if r.unknown > 0 {
		r.flags |= FlagUnknown
		a.report.Unknown.Words += int64(r.unknown)
		a.report.Unknown.Rows++
	}
	a.profile.addOrder(r.label, s.top)
	a.profile.add(r.label, s.top[:min(len(s.top), topWords)])
	a.near.add(s.hashes)
}

// classify extends what is known of genes to a new one.
func (s *surveyor) classify(g int32) {
	a := s.auditor
	for len(s.kinds) <= int(g) {
		word := a.genes.words[len(s.kinds)]
		s.kinds = append(s.kinds, int8(leadKind(word)+1))
		known := int8(1)
		if a.cfg.Vocabulary != nil && a.cfg.Vocabulary.Index(word) < 0 {
			known = -1
		}
		s.known = append(s.known, known)
	}
	for len(a.marks) <= int(g) {
		a.marks = append(a.marks, 0) // markers were numbered before all other genes
	}
}

// compare decides with which rows each is compared: those of its label or, without
// one, of the lineage of most of its markers.
func (a *auditor) compare() {
	for i := range a.rows {
		r := &a.rows[i]
		if r.group = r.label; r.group >= 0 {
			continue
		}
		best, most := 0, uint8(0)
		for k := range a.lineages {
			if r.lineage[k] > most {
				best, most = k+1, r.lineage[k]
			}
		}
		r.group = -1 - int32(best)
	}
}
