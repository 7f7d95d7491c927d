// The registry's place on disk.
#pragma once

#include <string>

#include "input/registry.h"

namespace windlass::input {

/// A directory with the log ("positions"), a copy of a damaged one ("positions.damaged"), and a file whose lock says
/// that the directory is in use ("lock"; the system takes the lock back when the process ends, in whatever way).
class RegistryDirectory final : public RegistryStorage {
 public:
  RegistryDirectory() = default;
  ~RegistryDirectory() override;
  RegistryDirectory(const RegistryDirectory&) = delete;
  RegistryDirectory& operator=(const RegistryDirectory&) = delete;

  /// Makes the directory where it is missing, and locks it. std::errc::device_or_resource_busy: another process has it.
  std::error_code open(const std::string& path);
  const std::string& path() const { return path_; }
  std::string damaged_path() const { return path_ + "/positions.damaged"; }

  std::error_code read(std::string& to) override;
  std::error_code append(std::string_view bytes) override;
  std::error_code replace(std::string_view bytes) override;
  std::error_code keep_aside() override;

 private:
  std::string path_;
  int lock_ = -1;
  int log_ = -1;
};

}  // namespace windlass::input
