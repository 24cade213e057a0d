package deflate

// effort is how hard a level tries. Elements that repeat nothing make it
// impatient: from a number of them on, three in four are not looked for. A
// repetition makes up for some.
type effort struct {
	chain    int // places of the same eight bytes to look at
	nice     int // bytes that are enough
	patience int // elements that repeat nothing; no more than twice as many count
	relief   int // how many of them each byte of a repetition makes up for
}

const always = 1 << 30

// efforts has one for each level but 0, which is stored.
var efforts = [10]effort{
	1: {chain: 1, nice: 16, patience: 32, relief: 1},
	2: {chain: 2, nice: 32, patience: 32, relief: 1},
	3: {chain: 3, nice: 64, patience: 32, relief: 1},
	4: {chain: 4, nice: 64, patience: 32, relief: 1},
	5: {chain: 8, nice: 128, patience: 32, relief: 8},
	6: {chain: 16, nice: maxMatch, patience: 64, relief: 16},
	7: {chain: 64, nice: maxMatch, patience: always},
	8: {chain: 128, nice: maxMatch, patience: always},
	9: {chain: 512, nice: maxMatch, patience: always},
}

// parse cuts src into literal bytes and repetitions and writes them, in blocks. It
// takes what is best at each place, without a look at the next.
func (e *Encoder) parse(how effort) {
	src, f := e.src, &e.find
	w := width(src)
	f.reset(w)
	last := len(src) - 8 // behind it are too few bytes to look for
	begin, missed := 0, 0
	for i := 0; i < len(src); {
		if len(e.tokens) >= blockTokens {
			e.block(src[begin:i], false)
			begin = i
		}
		var m match
		start := i&(w-1) == 0 // of an element
		switch {
		case i > last:
		case !start:
			m = above(src, i, w)
		case missed < how.patience || i>>f.shift&3 == 0:
			if m = f.best(src, i, how); m.n > 0 && dear(src, i, w, m) {
				m.n = 0
			}
			missed = min(missed+1, 2*how.patience)
		}
		if m.n == 0 {
			e.literal(src[i])
			i++
			continue
		}
		if start {
			missed = max(missed-how.relief*m.n, 0)
		}
		e.match(m)
		next := (i + w) &^ (w - 1)
		for i += m.n; next < min(i, last+1); next += w {
			f.insert(src, next)
		}
	}
	e.block(src[begin:], true)
}

// above is the repetition at i of the bytes one element before, which the upper
// bytes of numbers often are.
func above(src []byte, i, w int) match {
	if i < w || (load32(src, i)^load32(src, i-w))<<8 != 0 {
		return match{}
	}
	return match{same(src, i-w, i, min(i+maxMatch, len(src))), w}
}

// dear reports that a repetition of one or two elements at i takes more bits than a
// literal byte and what repeats the upper bytes of the element before: its distance
// has many, theirs hardly any, being always the same.
func dear(src []byte, i, w int, m match) bool {
	if m.n > 8 || m.back <= 64 || i < w {
		return false
	}
	n := above(src, i+1, w).n
	return n > 0 && n+1 >= m.n
}
