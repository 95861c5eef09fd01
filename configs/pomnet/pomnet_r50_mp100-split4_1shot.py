_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_210e.py',
    '../_base_/models/pomnet_r50.py',
    '../_base_/datasets/mp100_split4.py',
]
