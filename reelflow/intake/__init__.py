"""Videos as people have them, into `data/raw`.

Folders, csv files, official lists and the inbox in, labelled files out.
"""
