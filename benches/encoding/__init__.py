"""What the ladder of a title is worth: bits at equal quality against a fixed ladder."""

ABOUT = """
`make bench-encoding` measures this (`--quick`, `--clips`, `--parts` and `--seconds` take some of
it, one core to a clip; results are cached by content under `.bench/encoding`, so an interrupted
bench goes on). Every encode is x264 medium, or SVT-AV1 and x265 at the preset of `balanced`; every
VMAF (v0.6.1, each fifth frame) is of the picture scaled up to the master's size. *BD-rate*
(Bjontegaard, VCEG-M33, 2001; interpolated by PCHIP as in JCTVC-L1100) is the mean difference of the
rate at equal quality, over the qualities that both reach: below 0 is fewer bits. It is of what was
published and measured, not of what was predicted.

The *fixed ladder* is Netflix's of 2015, 235 to 5800 kbit/s at 240 to 1080 lines (at most the
master's), two passes over the whole film, key frames every two seconds and at cuts, no limit of
its peaks; with all of its ten rungs, so that nothing is guessed between them. *Per title* is our
ladder with one crf for a rung, *per shot* the one that Cuemark publishes. The *hull* is that of a
grid of ten crf and the seven sizes that a ladder may choose. *Chunk by chunk* is Av1an's way: for
each shot of each of our rungs the crf is searched, with up to four encodes, that measures our
rung's mean VMAF. The last two take dozens of encodes and are made of three clips (of all with
`--everywhere`).

The clips are small and most of them were lossy when they came (noted by their name in
`../shared/media/MANIFEST.json`): an encode that smooths what another encoder left behind loses
little against such a master. Clips of one shot can gain nothing per shot, so the figure is also
given for those that have several. `reel` is two seconds each of six clips, `grain` eight
seconds of the trailer with noise.
"""
