package checkpoint

import (
	"maps"
	"slices"
	"strconv"
)

// tokenizerConfig is what tokenizer_config.json, config.json and
// generation_config.json say about special tokens.
type tokenizerConfig struct {
	tokenizer, model, generation *fields
}

func readTokenizerConfig(f *folder) (*tokenizerConfig, error) {
	c := &tokenizerConfig{model: f.config}
	var err error
	if c.tokenizer, err = readFields(f.file("tokenizer_config.json")); err != nil {
		return nil, err
	}
	if c.generation, err = readFields(f.file("generation_config.json")); err != nil {
		return nil, err
	}
	for _, p := range []**fields{&c.tokenizer, &c.generation} {
		if *p == nil {
			*p = &fields{err: new(error)}
		}
	}
	return c, nil
}

// added are the tokens that tokenizer_config.json lists by number.
func (c *tokenizerConfig) added() ([]addedToken, error) {
	var list map[string]addedToken
	c.tokenizer.read("added_tokens_decoder", &list)
	var out []addedToken
	for _, key := range slices.Sorted(maps.Keys(list)) {
		t := list[key]
		id, err := strconv.Atoi(key)
		if err != nil {
			return nil, badf(c.tokenizer.file, "added_tokens_decoder", "the number %q", key)
		}
		t.ID = id
		out = append(out, t)
	}
	return out, c.tokenizer.failed()
}

// word is a special token of tokenizer_config.json, "" if it names none: text, or
// an object with the text.
func (c *tokenizerConfig) word(key string) string {
	raw := c.tokenizer.raw[key]
	if len(raw) > 0 && raw[0] == '{' {
		return c.tokenizer.object(key).text("content")
	}
	return c.tokenizer.text(key)
}

// settle finds the special tokens of a vocabulary. The end of text must be there,
// and its beginning where one is put in front of texts. addBOS is used where
// tokenizer_config.json does not say.
func (c *tokenizerConfig) settle(v *vocabulary, addBOS bool) error {
	v.addBOS = c.tokenizer.flag("add_bos_token", addBOS)
	if c.tokenizer.flag("add_eos_token", false) {
		// Generation would begin behind the end of text.
		v.notes = append(v.notes, "tokenizer_config.json asks for an end of text behind each prompt; it is left out")
	}
	for _, special := range [][2]string{{"bos", "bos"}, {"eos", "eos"}, {"unk", "unknown"}, {"pad", "padding"}} {
		name, key := special[0], special[1]
		if word := c.word(name + "_token"); word != "" {
			if id, ok := v.id(word); ok {
				v.special[key] = id
				continue
			}
			if name == "eos" {
				return badf(c.tokenizer.file, "eos_token", "the vocabulary has no %q", word)
			}
		}
		ids := c.model.ids(name + "_token_id")
		if err := c.model.failed(); err != nil {
			return err
		}
		if len(ids) > 0 && ids[0] >= 0 { // -1 stands for none
			if err := v.setSpecial(c.model, key, ids[0]); err != nil {
				return err
			}
		}
	}
	if err := c.tokenizer.failed(); err != nil {
		return err
	}
	if _, ok := v.special["eos"]; !ok {
		return badf(v.file, "", "no token ends a text: neither tokenizer_config.json nor config.json names eos_token")
	}
	if _, ok := v.special["bos"]; !ok && v.addBOS {
		return badf(v.file, "", "no token begins a text, where add_bos_token asks for one")
	}
	return c.ends(v)
}

func (v *vocabulary) setSpecial(c *fields, key string, id int64) error {
	if id >= int64(len(v.tokens)) {
		return badf(c.file, key, "token %d, where the model has rows for %d", id, len(v.tokens))
	}
	v.special[key] = uint32(id)
	return nil
}

// ends adds a second token that ends a text, which transformers takes from
// generation_config.json or, without that, config.json.
func (c *tokenizerConfig) ends(v *vocabulary) error {
	from := c.generation
	ids := from.ids("eos_token_id")
	if ids == nil {
		from = c.model
		ids = from.ids("eos_token_id")
	}
	if err := from.failed(); err != nil {
		return err
	}
	for _, id := range ids {
		if id < 0 || uint32(id) == v.special["eos"] {
			continue
		}
		if _, ok := v.special["eot"]; ok {
			v.notes = append(v.notes, "more than two tokens end a text; two are kept")
			break
		}
		if err := v.setSpecial(from, "eot", id); err != nil {
			return err
		}
	}
	return nil
}
