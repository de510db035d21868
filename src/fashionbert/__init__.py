"""FashionBERT: match fashion words with fashion pictures."""
