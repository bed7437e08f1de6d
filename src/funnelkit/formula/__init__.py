"""The algebra of definitions: values, predicates, aggregates, formulas, their text."""
