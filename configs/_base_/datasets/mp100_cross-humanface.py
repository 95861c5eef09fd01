_base_ = './mp100_cross-humanbody.py'

train_dataloader = dict(dataset=dict(split='humanface'))
val_dataloader = dict(dataset=dict(split='humanface'))
test_dataloader = dict(dataset=dict(split='humanface'))
