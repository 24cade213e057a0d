package dataset

// Check returns an error for a configuration that fits no dataset.
func (c SplitConfig) Check() error { return c.check() }

// Check returns an error for a configuration that fits no dataset.
func (c MixConfig) Check() error { return c.check() }

// Check returns an error for a configuration that fits no dataset.
func (c AuditConfig) Check() error { return c.defaults() }
