"""Values of forecasts and outcomes of questions: their rules, and how people write them."""
