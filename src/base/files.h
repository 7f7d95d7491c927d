// What several rooms do with descriptors of files, by the system's calls. Errors are the system's.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace windlass::base {

/// What errno says.
inline std::error_code last_error() {
  return {errno, std::system_category()};
}

/// All of the bytes, or an error; then any part of them may have been written. Waits as long as the descriptor does.
std::error_code write_all(int descriptor, std::string_view bytes);

/// Makes the names in a directory durable: a new file outlives a crash of the system only after this.
std::error_code sync_directory(const std::string& path);

}  // namespace windlass::base
