_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/schedules/adamw_puppets.py',
    '../_base_/models/pomnet_tiny.py',
    '../_base_/datasets/puppets.py',
]

default_hooks = dict(checkpoint=dict(interval=1))
