#include "COpenCV.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

namespace {

// YuNet (2023mar) answers on three grids; a cell is this many pixels wide. Padding to the widest makes all grids whole.
constexpr std::array<int, 3> grid_strides = {8, 16, 32};
constexpr int widest_stride = 32;
constexpr int landmark_count = 5;
constexpr int picture_edge_max = 4096;
// In pixels. A box beyond these bounds is no face but a number that ran away.
constexpr float face_edge_min = 2.0f;
constexpr float face_edge_max = 2.0f * picture_edge_max;

/// What each grid answers, and how many numbers a cell holds.
enum Answer { classification, objectness, box, landmarks, answer_count };
constexpr std::array<int, answer_count> answer_depths = {1, 1, 4, 2 * landmark_count};

const std::vector<std::string> &answer_names() {
    static const std::vector<std::string> names = {
        "cls_8",  "cls_16",  "cls_32",  "obj_8", "obj_16", "obj_32",
        "bbox_8", "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32",
    };
    return names;
}

void tell(char *message, size_t message_bytes, const char *text) {
    if (message_bytes > 0) { std::snprintf(message, message_bytes, "%s", text); }
}

/// One thread a call: two gain 20 % on a picture of our size, and a node runs several clips side by side within a
/// budget that OpenCV, whose thread count is one number for the whole process, knows nothing of.
void settle_process_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        cv::setNumThreads(1);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        // Errors are told by status; without this OpenCV also writes them to the node's standard error.
        cv::redirectError([](int, const char *, const char *, const char *, int, void *) { return 0; });
    });
}

/// Runs `body` and turns whatever it throws into a status: an exception must not unwind through Swift frames.
template <typename Body>
copencv_status guarded(copencv_status on_error, char *message, size_t message_bytes, Body body) noexcept {
    try {
        return body();
    } catch (const cv::Exception &error) {
        tell(message, message_bytes, error.err.c_str());
    } catch (const std::exception &error) {
        tell(message, message_bytes, error.what());
    } catch (...) {
        tell(message, message_bytes, "an exception of unknown type");
    }
    return on_error;
}

/// The edge that the network is shown. Of a single row of its widest cells OpenCV 4.6 makes garbage: hence two.
int padded_edge(int edge) { return std::max(2, (edge + widest_stride - 1) / widest_stride) * widest_stride; }

// These, like the comparisons where they are used, are written so that a NaN fails.
bool is_face_edge(float length) { return length >= face_edge_min && length <= face_edge_max; }

float unit(float value) { return std::min(std::max(value, 0.0f), 1.0f); }

} // namespace

struct copencv_face_detector {
    cv::dnn::Net net;
    float score_min;
    float overlap_max;
    // Kept between calls so that a steady stream of pictures allocates nothing.
    cv::Mat padded;
    cv::Mat blob;
    std::vector<cv::Mat> answers;

    /// Fills `answers` for the picture. False when the network's outputs do not have the shapes of YuNet.
    bool infer(const cv::Mat &picture) {
        const int columns = padded_edge(picture.cols), rows = padded_edge(picture.rows);
        cv::copyMakeBorder(
            picture, padded, 0, rows - picture.rows, 0, columns - picture.cols, cv::BORDER_CONSTANT, cv::Scalar());
        cv::dnn::blobFromImage(padded, blob);
        net.setInput(blob);
        net.forward(answers, answer_names());
        for (size_t index = 0; index < answers.size(); ++index) {
            const size_t stride = grid_strides[index % grid_strides.size()];
            const size_t cells = (columns / stride) * (rows / stride);
            const cv::Mat &answer = answers[index];
            if (answer.type() != CV_32F || !answer.isContinuous()
                || answer.total() != cells * answer_depths[index / grid_strides.size()]) {
                return false;
            }
        }
        return answers.size() == answer_names().size();
    }

    /// Reads the faces off `answers`, strongest first.
    std::vector<copencv_face> decoded() const {
        std::vector<copencv_face> candidates;
        for (size_t grid = 0; grid < grid_strides.size(); ++grid) { decode(grid, candidates); }
        std::vector<cv::Rect2d> boxes;
        std::vector<float> scores;
        for (const copencv_face &face : candidates) {
            boxes.emplace_back(face.x, face.y, face.width, face.height);
            scores.push_back(face.score);
        }
        std::vector<int> kept;
        cv::dnn::NMSBoxes(boxes, scores, score_min, overlap_max, kept);
        std::vector<copencv_face> faces;
        for (int index : kept) { faces.push_back(candidates[static_cast<size_t>(index)]); }
        return faces;
    }

private:
    const float *answer(Answer kind, size_t grid) const {
        return answers[static_cast<size_t>(kind) * grid_strides.size() + grid].ptr<float>();
    }

    void decode(size_t grid, std::vector<copencv_face> &candidates) const {
        const int stride = grid_strides[grid];
        const int columns = padded.cols / stride, rows = padded.rows / stride;
        const float *classes = answer(classification, grid), *objects = answer(objectness, grid);
        const float *boxes = answer(box, grid), *points = answer(landmarks, grid);
        for (int row = 0; row < rows; ++row) {
            for (int column = 0; column < columns; ++column) {
                const int cell = row * columns + column;
                const float score = std::sqrt(unit(classes[cell]) * unit(objects[cell]));
                if (!(score >= score_min)) { continue; }
                const float *offsets = boxes + cell * answer_depths[box];
                const float width = std::exp(offsets[2]) * stride, height = std::exp(offsets[3]) * stride;
                const float x = (column + offsets[0]) * stride, y = (row + offsets[1]) * stride;
                if (!is_face_edge(width) || !is_face_edge(height)) { continue; }
                if (!(x >= 0 && x <= padded.cols && y >= 0 && y <= padded.rows)) { continue; }
                copencv_face face = {x - width / 2, y - height / 2, width, height, score, {}};
                const float *corners = points + cell * answer_depths[landmarks];
                for (int index = 0; index < landmark_count; ++index) {
                    face.landmarks[index].x = (corners[2 * index] + column) * stride;
                    face.landmarks[index].y = (corners[2 * index + 1] + row) * stride;
                }
                candidates.push_back(face);
            }
        }
    }
};

copencv_status copencv_face_detector_create(
    const char *model_path, float score_min, float overlap_max, copencv_face_detector **detector, char *message,
    size_t message_bytes) {
    *detector = nullptr;
    if (!(score_min > 0 && score_min <= 1 && overlap_max >= 0 && overlap_max <= 1)) {
        tell(message, message_bytes, "thresholds lie between 0 and 1");
        return copencv_argument_refused;
    }
    return guarded(copencv_model_unreadable, message, message_bytes, [&] {
        settle_process_once();
        auto made = std::make_unique<copencv_face_detector>();
        made->net = cv::dnn::readNetFromONNX(model_path);
        made->score_min = score_min;
        made->overlap_max = overlap_max;
        const cv::Mat blank = cv::Mat::zeros(2 * widest_stride, 2 * widest_stride, CV_8UC3);
        const auto tried = guarded(copencv_model_unexpected, message, message_bytes, [&] {
            if (made->infer(blank)) { return copencv_ok; }
            tell(message, message_bytes, "the network's outputs are not those of YuNet");
            return copencv_model_unexpected;
        });
        if (tried == copencv_ok) { *detector = made.release(); }
        return tried;
    });
}

void copencv_face_detector_destroy(copencv_face_detector *detector) { delete detector; }

copencv_status copencv_face_detector_detect(
    copencv_face_detector *detector, const uint8_t *bgr, int32_t width, int32_t height, size_t stride_bytes,
    copencv_face *faces, int32_t faces_max, int32_t *faces_found, char *message, size_t message_bytes) {
    *faces_found = 0;
    if (width < 1 || height < 1 || width > picture_edge_max || height > picture_edge_max || faces_max < 0
        || stride_bytes < static_cast<size_t>(width) * 3) {
        tell(message, message_bytes, "the picture's size is outside what the detector accepts");
        return copencv_argument_refused;
    }
    return guarded(copencv_failed, message, message_bytes, [&] {
        // cv::Mat has no view of constant memory; `infer` copies out of it and never writes to it.
        const cv::Mat picture(height, width, CV_8UC3, const_cast<uint8_t *>(bgr), stride_bytes);
        if (!detector->infer(picture)) {
            tell(message, message_bytes, "the network's outputs are not those of YuNet");
            return copencv_model_unexpected;
        }
        const std::vector<copencv_face> found = detector->decoded();
        const auto count = std::min(found.size(), static_cast<size_t>(faces_max));
        std::copy_n(found.begin(), count, faces);
        *faces_found = static_cast<int32_t>(count);
        return copencv_ok;
    });
}

int32_t copencv_face_picture_edge_max(void) { return picture_edge_max; }
