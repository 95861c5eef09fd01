# Training sees no supports: the checkpoint is that of 1-shot.
_base_ = './finetune_r50_mp100-split2_1shot.py'

val_dataloader = dict(sampler=dict(num_shots=5))
test_dataloader = dict(sampler=dict(num_shots=5))
