"""Many files as one set.

Labelled files in; a manifest, what was set aside, groups, copies of one film and splits out.
"""
