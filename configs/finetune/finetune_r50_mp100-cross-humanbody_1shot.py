_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adam_200e_heatmap.py',
    '../_base_/models/finetune_r50.py',
    '../_base_/datasets/mp100_cross-humanbody.py',
]
