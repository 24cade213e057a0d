package prompt

import "strings"

// ParsePython does what post_process_generated_cell_sentences of the Python package
// cell2sentence 1.2.0 does and returns the same list and number: the whole answer in
// upper case, split at single blanks; words that are not in the vocabulary as they
// then stand are replaced by NOT_A_GENE, counted and kept in their places; repeated
// genes go to their mean positions. Nothing is cleaned: the last gene of a response
// "… GENE." counts as no gene.
//
// Its time grows with the square of an answer that repeats many genes. Letters
// outside ASCII have the upper case of one letter that Go knows, where Python would
// write ß as SS.
func (p *GeneParser) ParsePython(answer string) (words []string, replaced int) {
	var ids []int32
	for word := range strings.SplitSeq(strings.ToUpper(answer), " ") {
		id, ok := p.exact[word]
		if !ok {
			id = unknown
			replaced++
		}
		ids = append(ids, id)
	}
	repeated, _ := repeats(ids)
	for _, id := range mean(ids, repeated) {
		if id == unknown {
			words = append(words, noGene)
		} else {
			words = append(words, p.words[id])
		}
	}
	return words, replaced
}
