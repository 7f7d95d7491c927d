// Durations, sizes and the like: as people write them, to and fro.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "base/time.h"

namespace windlass::app {

/// "30s", "1m30s", "500ms", "1.5h", and "30" for seconds; units are h, m, s, ms, us (µs), ns. Without sign; "0" is
/// zero. Nothing when it is none of these, or longer than 292 years.
std::optional<base::Duration> parse_duration(std::string_view text);

/// Bytes: "4096", "10MiB", "10mb", "1.5 GB". KiB, MiB, GiB and TiB are powers of 1024; kB, MB, GB and TB, and their
/// bare letters, powers of 1000. Upper and lower case are the same. Nothing when it is none of these, or above 2^53.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "0.01", or "1%", "1 %": between 0 and 1. Nothing when it is none of these.
std::optional<double> parse_share(std::string_view text);

/// "5000/s", "5000", "2.5k/s", "1M/s", "300/min", "100/h": events in a second. Nothing when it is none of these, or not
/// above 0.
std::optional<double> parse_rate(std::string_view text);

/// A decimal number with an optional sign, and nothing else. Nothing when it is none, or does not fit.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// true, yes, on; false, no, off; in any case.
std::optional<bool> parse_boolean(std::string_view text);

/// In the largest unit that shows it: "1h30m", "90s" as "1m30s", "1.5s", "250ms", "0s".
std::string format_duration(base::Duration duration);

/// "512 B", "1.5 MiB".
std::string format_size(std::uint64_t bytes);

/// With one letter where it is large, in at most five characters: "950", "12.3k", "999k", "1.25M".
std::string format_count(double count);

using base::to_lower;

/// Without blanks at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace windlass::app
