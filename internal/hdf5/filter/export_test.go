package filter

// Held is the memory that the decoder keeps between chunks.
func (d *Decoder) Held() int { return cap(d.buf[0]) + cap(d.buf[1]) + cap(d.block) + cap(d.planes) }
