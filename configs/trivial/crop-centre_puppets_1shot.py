_base_ = './copy-support_puppets_1shot.py'

model = dict(rule='crop_centre')
