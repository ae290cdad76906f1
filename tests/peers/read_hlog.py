"""Reads an HdrHistogram log with the public Python library and prints what it finds for each tag:
the tag, its count, its median and its largest value."""

import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

reader = HistogramLogReader(sys.argv[1], HdrHistogram(1, 3_600_000_000, 3))
tags = {}
while (interval := reader.get_next_interval_histogram()) is not None:
    tag = interval.get_tag()
    if tag not in tags:
        tags[tag] = HdrHistogram(1, 3_600_000_000, 3)
    tags[tag].add(interval)
for tag, sum in sorted(tags.items()):
    print(tag, sum.get_total_count(), sum.get_value_at_percentile(50), sum.get_max_value())
