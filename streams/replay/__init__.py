"""An analyst's own projection over history: out of Kafka, an archive or both, into a file, a database or a DataFrame.

`call.py` is what `frame.replay` and `crm replay` run. It plans (`asked.py`, `history.py`), has partitions folded by
streams.rebuild in processes of their own (`worker.py`) into Arrow files beside the target (`parts.py`), and puts the
finished rows where they were asked for (`targets.py`): beside the target's name first, under it at the end.
"""
