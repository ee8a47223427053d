"""Getting texts in: documents, pages, bibliographies, duplicates, and the edit of the corpus."""
