_base_ = './mp100_cross-vehicle.py'

train_dataloader = dict(dataset=dict(split='furniture'))
val_dataloader = dict(dataset=dict(split='furniture'))
test_dataloader = dict(dataset=dict(split='furniture'))
