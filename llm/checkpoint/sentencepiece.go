package checkpoint

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"
)

// The fields of sentencepiece_model.proto that count here.
const (
	modelPieces, modelTrainer, modelNormalizer = 1, 2, 3
	pieceText, pieceScore, pieceType           = 1, 2, 3
	trainerModelType                           = 3
	trainerBPE                                 = 2
	normalizerCharsmap                         = 2
)

// piece is a word of a SentencePiece model.
type piece struct {
	text  string
	score float32
	kind  int32
}

// pieces is a SentencePiece model.
type pieces struct {
	list      []piece
	bpe       bool // it merges by score, or does not say how
	rewriting bool // it rewrites characters before it splits text
}

// parsePieces reads a tokenizer.model, a message in Protocol Buffers' encoding.
func parsePieces(data []byte) (*pieces, error) {
	p := &pieces{bpe: true}
	err := eachField(data, func(field int, v uint64, body []byte) error {
		switch field {
		case modelPieces:
			if len(p.list) == maxWords {
				return errors.New("too many pieces")
			}
			one, err := parsePiece(body)
			p.list = append(p.list, one)
			return err
		case modelTrainer:
			p.bpe = false // the default is another kind
			return eachField(body, func(field int, v uint64, _ []byte) error {
				if field == trainerModelType {
					p.bpe = v == trainerBPE
				}
				return nil
			})
		case modelNormalizer:
			return eachField(body, func(field int, _ uint64, body []byte) error {
				if field == normalizerCharsmap {
					p.rewriting = len(body) > 0
				}
				return nil
			})
		}
		return nil
	})
	if err == nil && len(p.list) == 0 {
		err = errors.New("no pieces")
	}
	return p, err
}

func parsePiece(data []byte) (piece, error) {
	p := piece{kind: tokenNormal}
	err := eachField(data, func(field int, v uint64, body []byte) error {
		switch field {
		case pieceText:
			p.text = string(body)
		case pieceScore:
			p.score = math.Float32frombits(uint32(v))
		case pieceType:
			if v < tokenNormal || v > tokenByte {
				return errors.New("a piece of an unknown type")
			}
			p.kind = int32(v)
		}
		return nil
	})
	if err == nil && (p.text == "" || !utf8.ValidString(p.text)) {
		err = errors.New("a piece without text")
	}
	if err == nil && !(math.Abs(float64(p.score)) <= math.MaxFloat32) {
		err = errors.New("a piece whose score is no number")
	}
	return p, err
}

var errWire = errors.New("no SentencePiece model, or a damaged one")

// eachField walks the fields of a message: v is a number, body what has a length.
func eachField(data []byte, do func(field int, v uint64, body []byte) error) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29 {
			return errWire
		}
		data = data[n:]
		var v uint64
		var body []byte
		switch key & 7 {
		case 0:
			if v, n = binary.Uvarint(data); n <= 0 {
				return errWire
			}
		case 1:
			if n = 8; len(data) < n {
				return errWire
			}
			v = binary.LittleEndian.Uint64(data)
		case 2:
			length, k := binary.Uvarint(data)
			if k <= 0 || length > uint64(len(data)-k) {
				return errWire
			}
			n = k + int(length)
			body = data[k:n]
		case 5:
			if n = 4; len(data) < n {
				return errWire
			}
			v = uint64(binary.LittleEndian.Uint32(data))
		default:
			return errWire
		}
		data = data[n:]
		if err := do(int(key>>3), v, body); err != nil {
			return err
		}
	}
	return nil
}

const piecesFile = "tokenizer.model"

// gemmaVocabulary reads the SentencePiece vocabulary of a Gemma, from
// tokenizer.model or, without that, from tokenizer.json.
func gemmaVocabulary(f *folder, words int) (*vocabulary, error) {
	config, err := readTokenizerConfig(f)
	if err != nil {
		return nil, err
	}
	path := f.file(piecesFile)
	data, err := slurp(path, maxTokenizer)
	if err != nil {
		return nil, err
	}
	var v *vocabulary
	if data != nil {
		v, err = fromPieces(path, data, words)
	} else {
		v, err = fromMerges(f.file(tokenizerFile), words)
	}
	if err != nil {
		return nil, err
	}
	added, err := config.added()
	if err != nil {
		return nil, err
	}
	more, err := readAdded(f.file("added_tokens.json"))
	if err != nil {
		return nil, err
	}
	if added == nil { // newer versions of transformers list all in the decoder
		added = more
	}
	if err := v.add(added); err != nil {
		return nil, err
	}
	if err := config.settle(v, true); err != nil {
		return nil, err
	}
	return v, v.finish()
}

func fromPieces(path string, data []byte, words int) (*vocabulary, error) {
	p, err := parsePieces(data)
	if err != nil {
		return nil, badf(path, "", "%w", err)
	}
	if !p.bpe {
		return nil, badf(path, "", "a SentencePiece model that does not merge by score (BPE), as Gemma's does")
	}
	v := newVocabulary(path, "llama", "default", words)
	v.scores = make([]float32, words)
	if p.rewriting {
		v.notes = append(v.notes, "the tokenizer rewrites some characters before it splits text; llama.cpp does not")
	}
	for i, one := range p.list {
		text := one.text
		if one.kind == tokenUser {
			text = spaces(text)
		}
		if err := v.set(i, text, one.kind); err != nil {
			return nil, err
		}
		v.scores[i] = one.score
	}
	return v, nil
}
