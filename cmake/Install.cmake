# `make install`: headers, the library, find_package(windlass), pkg-config, the program. What is installed may be moved
# as a whole. Component `development` is everything but the program.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(windlass_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/windlass)
set(windlass_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(TARGETS windlass EXPORT windlass-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/windlass DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
        FILES_MATCHING PATTERN "*.h")
install(EXPORT windlass-targets NAMESPACE windlass:: DESTINATION ${windlass_cmake_dir} COMPONENT development)

configure_package_config_file(cmake/windlass-config.cmake.in ${CMAKE_BINARY_DIR}/windlass-config.cmake
                              INSTALL_DESTINATION ${windlass_cmake_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/windlass-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/windlass-config.cmake ${CMAKE_BINARY_DIR}/windlass-config-version.cmake
        DESTINATION ${windlass_cmake_dir} COMPONENT development)

file(RELATIVE_PATH windlass_pc_to_prefix /${windlass_pc_dir} /)
string(REGEX REPLACE "/$" "" windlass_pc_to_prefix ${windlass_pc_to_prefix})
set(windlass_pc_isal "")
if(ISAL_FOUND)
  set(windlass_pc_isal " libisal")
endif()
configure_file(cmake/windlass.pc.in ${CMAKE_BINARY_DIR}/windlass.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/windlass.pc DESTINATION ${windlass_pc_dir} COMPONENT development)

if(WINDLASS_PROGRAM)
  install(TARGETS windlass_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
  install(FILES windlass.reference.yml DESTINATION ${CMAKE_INSTALL_DATADIR}/windlass COMPONENT program)
endif()
