# A head that starts from random weights takes larger steps; inner loops that
# go astray are clipped.
_base_ = './adam_200e.py'

optim_wrapper = dict(
    optimizer=dict(lr=1e-4), clip_grad=dict(max_norm=1.0, norm_type=2)
)
