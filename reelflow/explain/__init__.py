"""What a model looked at: a model and a video in, maps over its frames out, and whether they tell.

`occlusion` asks any model: a part of the video is blanked, and the answer asked for again.
`on_frames` and `on_embeddings` are the two kinds of models, each with a map of its own that costs
one pass: Grad-CAM, and what each place adds to a linear head. `sanity_checks` tests a map;
`drawing` shows it; `neighbours` finds the training clips that the model takes for alike.
"""
