"""Pharmacogenomics: from a laboratory's call to advice, stops and recommendation."""
