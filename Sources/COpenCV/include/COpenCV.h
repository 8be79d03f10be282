#pragma once

// The little of OpenCV that Media needs, as flat C: no C++ type and no exception crosses this line.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// How a call ended. Everything but `copencv_ok` leaves a sentence in the caller's message buffer.
typedef enum copencv_status {
    copencv_ok = 0,
    /// The file is not there, or is not a network that OpenCV can read.
    copencv_model_unreadable = 1,
    /// The file is a network, but not a YuNet face detector.
    copencv_model_unexpected = 2,
    /// An argument is outside what the function accepts.
    copencv_argument_refused = 3,
    /// OpenCV gave up: out of memory, or a bug.
    copencv_failed = 4,
} copencv_status;

/// Corners of a face, in the order of `copencv_face.landmarks`. Right and left are those of the person.
typedef enum copencv_landmark {
    copencv_landmark_right_eye = 0,
    copencv_landmark_left_eye = 1,
    copencv_landmark_nose = 2,
    copencv_landmark_right_mouth = 3,
    copencv_landmark_left_mouth = 4,
} copencv_landmark;

typedef struct copencv_point {
    float x;
    float y;
} copencv_point;

/// A face, in pixels of the picture it was found in. May reach over the picture's edge.
typedef struct copencv_face {
    float x;
    float y;
    float width;
    float height;
    /// 0 to 1.
    float score;
    copencv_point landmarks[5];
} copencv_face;

/// A loaded network. Not to be used by two threads at one time.
typedef struct copencv_face_detector copencv_face_detector;

/// Loads YuNet from an ONNX file and tries it on a blank picture, so that a wrong file is refused here.
///
/// Faces under `score_min` are dropped; of two that overlap by more than `overlap_max` (intersection over union) the
/// weaker one is. On success `*detector` must be given to `copencv_face_detector_destroy`; else it is set to null.
/// `message` receives at most `message_bytes` bytes, ending in a zero.
copencv_status copencv_face_detector_create(
    const char *model_path, float score_min, float overlap_max, copencv_face_detector *_Nullable *_Nonnull detector,
    char *message, size_t message_bytes);

void copencv_face_detector_destroy(copencv_face_detector *_Nullable detector);

/// Finds faces in a BGR picture of 8 bits a channel whose rows are `stride_bytes` apart, strongest first.
///
/// Writes at most `faces_max` of them to `faces` and their number to `*faces_found`. Reads only
/// `(height - 1) * stride_bytes + width * 3` bytes, and keeps none of them.
copencv_status copencv_face_detector_detect(
    copencv_face_detector *detector, const uint8_t *bgr, int32_t width, int32_t height, size_t stride_bytes,
    copencv_face *faces, int32_t faces_max, int32_t *faces_found, char *message, size_t message_bytes);

/// The longest edge of a picture that `copencv_face_detector_detect` accepts, in pixels.
int32_t copencv_face_picture_edge_max(void);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
