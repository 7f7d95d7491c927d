# Flags that hold for every target, and faster tools where they are present.

add_library(windlass_flags INTERFACE)
target_compile_options(windlass_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
                                                -Werror)
# g++ 12 takes every moved std::variant for uninitialised.
target_compile_options(windlass_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(WINDLASS_SANITIZE)
  # Not `vptr`: it probes memory through a pipe, and takes objects for bad ones where tests leave no file to be opened.
  add_compile_options(-fsanitize=${WINDLASS_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${WINDLASS_SANITIZE} -fno-sanitize=vptr)
  if(WINDLASS_SANITIZE MATCHES thread)
    # ThreadSanitizer knows no fences. Asio's are an addition to its locks, and those it does know.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

find_program(WINDLASS_CCACHE ccache)
if(WINDLASS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WINDLASS_CCACHE})
endif()
find_program(WINDLASS_MOLD mold)
if(WINDLASS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
