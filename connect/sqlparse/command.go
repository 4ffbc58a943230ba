package sqlparse

import "neptune/internal/plan"

func (p *parser) statement() plan.Node { return p.query() }
