"""Reading: documents of any kind to clean text, and text to passages.

``read_document`` turns a file into paragraphs and reports what it left out; ``cut_passages`` cuts a
canonical text. Heavy libraries (extra ``reading``) are loaded only where a file needs them.
"""
