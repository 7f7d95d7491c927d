// A file that is read as a whole.
#pragma once

#include <cstddef>
#include <string>

namespace windlass::app {

/// Its text; of a file that is larger than `limit` bytes, somewhat more than that. Throws ConfigError that names it.
std::string read_text_file(const std::string& path, std::size_t limit);

}  // namespace windlass::app
