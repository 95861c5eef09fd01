_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_200e.py',
    '../_base_/models/protonet_r50.py',
    '../_base_/datasets/mp100_split2.py',
]
