default_scope = 'mmpose'
custom_imports = dict(imports=['mmcape'], allow_failed_imports=False)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='ResumableCheckpointHook',
        interval=10,
        step_interval=500,  # what a kill costs at the most; see docs/faults.md
        max_keep_ckpts=3,
        on_failed_save='stop',
        save_best='PCK@0.2',
        rule='greater',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='EpisodeVisualizationHook', enable=False),
)
custom_hooks = [
    dict(type='ChannelsLastHook'),
    dict(type='SyncBuffersHook'),
    dict(type='StepSeedHook'),
    dict(type='CheckpointFitHook'),
    dict(type='FiniteLossHook', on_nonfinite='stop', max_skips=10),
    dict(type='BrokenImageHook'),
]

# A fixed seed: training episodes, augmentation and dropout are functions of
# it, so that a resumed run meets what the uninterrupted one would have met.
randomness = dict(seed=0)
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # seconds that a rank waits for the others
    dist_cfg=dict(backend='nccl', timeout=600),
)

# For TensorBoard set visualizer.vis_backends.0.type to TensorboardVisBackend
# with --cfg-options.
visualizer = dict(
    type='EpisodeVisualizer',
    vis_backends=[dict(type='PatientVisBackend')],
    name='visualizer',
)
log_processor = dict(
    type='LogProcessor', window_size=50, by_epoch=True, num_digits=6
)
log_level = 'INFO'
load_from = None
resume = False

val_cfg = dict(type='CachedValLoop')
test_cfg = dict(type='CachedTestLoop')
