"""A process of its own for one registered model: started by `ask_model`, run by path.

A model brings the package `reelflow` as it was when it was registered. Here nothing of today's
package is imported, so that the model's own code makes its clips, whatever has changed since.
Keep it so: this file may import the standard library and mlflow, nothing else.

Reads lines of JSON from stdin: the folder of a model first, then a video's path each. Answers each
with a line of JSON on stdout: the model's labels, then an answer each.
"""

import json
import os
import sys


def main() -> None:
    # Whatever else prints (TensorFlow, ffmpeg) must not end up between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii", buffering=1)
    os.dup2(2, 1)

    import pandas as pd
    from mlflow.pyfunc import load_model

    model = None
    for line in sys.stdin:
        asked = json.loads(line)
        if model is None:
            model = load_model(asked, suppress_warnings=True)
            schema = model.metadata.get_output_schema()
            names = schema.input_names() if schema and schema.has_input_names() else []
            answer: object = [name[2:] for name in names if name.startswith("p_")]
        else:
            table = model.predict(pd.DataFrame({"path": [asked]}, dtype=object))
            row = table.astype(object).where(table.notna(), None).iloc[0]
            answer = {name: value for name, value in row.items() if value is not None}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
