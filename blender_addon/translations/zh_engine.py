"""Simplified Chinese of what the engine says: progress, notes, and why a job cannot be done. Words alone. The engine speaks
English with its values filled in; words in braces stand where they are."""

PROGRESS = {
    "A first look at the paint": "初步查看颜料",
    "Acting the frames between": "正在表演中间帧",
    "Closing the cycle": "正在衔接循环",
    "Comparing the frames": "正在比较各帧",
    "Drawing the curves": "正在绘制曲线",
    "Drawing what frame {frame} shows": "正在绘制第 {frame} 帧显示的内容",
    "Following what moves, frame {frame}": "正在跟随运动，第 {frame} 帧",
    "Frame {frame} combined": "第 {frame} 帧已合并",
    "Frame {frame} made": "第 {frame} 帧已生成",
    "Frame {frame} painted": "第 {frame} 帧已绘制",
    "Frame {frame} tracked": "第 {frame} 帧已跟踪",
    "Learning from the clips": "正在学习运动片段",
    "Learning the sequence, step {step}": "正在学习序列，第 {step} 步",
    "Learning to make frames between, step {step}, error {error}": "正在学习补帧，第 {step} 步，误差 {error}",
    "Locking feet": "正在锁定脚部",
    "Looking at frame {frame}": "正在查看第 {frame} 帧",
    "Looking at the motion": "正在分析运动",
    "Looking at the painted frames": "正在查看手绘帧",
    "Looking at what the other frames hide of frame {frame}": "正在查看第 {frame} 帧中被其他帧遮挡的部分",
    "Looking for cuts, frame {frame}": "正在查找剪接点，第 {frame} 帧",
    "Looking for the painted surface in frame {frame}": "正在第 {frame} 帧中查找绘制过的表面",
    "Looking for what rests": "正在查找静止的部分",
    "Painting frame {frame}": "正在绘制第 {frame} 帧",
    "Playing it again": "正在重复播放",
    "Playing on": "正在续演",
    "Reading frame {frame}": "正在读取第 {frame} 帧",
    "Reading the clips": "正在读取运动片段",
    "Reading the painted frame {frame}": "正在读取手绘的第 {frame} 帧",
    "Starting": "正在启动",
    "Taking out jitter": "正在去除抖动",
    "Taking the objects off frame {frame}": "正在从第 {frame} 帧中取出物体",
    "Testing on motion held back": "正在用预留的运动进行检验",
    "Training, step {step}": "正在训练，第 {step} 步",
}

NOTES = {
    "'{name}' is in no key; frame {frame} shows it best.": "手绘帧中没有“{name}”；第 {frame} 帧显示得最清楚。",
    "'{name}' is in no painted frame and was guessed; paint it in frame {frame}.": (
        "手绘帧中没有“{name}”，它的样子是推测的；请在第 {frame} 帧中绘制它。"
    ),
    "All bones sit in one point, so the network cannot tell the rig's shape.": (
        "所有骨骼都在同一点上，神经网络无法判断绑定的形状。"
    ),
    "Between frames {before} and {after} there is a cut; nothing is made across it.": (
        "第 {before} 与 {after} 帧之间有剪接；不会跨越它生成画面。"
    ),
    "Bones with more than {seconds} seconds between their own keys, while others have keys there, follow the plain curves; key"
    " them more often to have them acted.": (
        "自身关键帧相隔超过 {seconds} 秒、而其他骨骼在其间有关键帧的骨骼，采用普通曲线；要让它们参与表演，请多设置些关键帧。"
    ),
    "It was not better there than {other}, so nothing is kept; add more clips.": (
        "检验结果不比{other}好，因此没有保留；请增加运动片段。"
    ),
    "Kept what is not Understudy's own in result/ (frames {frames}); move it away first.": (
        "保留了 result/ 中不是由 Understudy 生成的文件（第 {frames} 帧）；请先把它们移走。"
    ),
    "Kept what is not Understudy's own in result/ (frames {frames}); move it away to have those frames made.": (
        "保留了 result/ 中不是由 Understudy 生成的文件（第 {frames} 帧）；要生成这些帧，请把它们移走。"
    ),
    "Kept what is not Understudy's own in result/ (frames {frames}); move it away to have those frames painted.": (
        "保留了 result/ 中不是由 Understudy 生成的文件（第 {frames} 帧）；要绘制这些帧，请把它们移走。"
    ),
    "Learned from {count} clip{plural}, {frames} frames, about {gaps} different gaps of half a second; a seventh of it was held"
    " back to be tested on.": (
        "学习了 {count} 个运动片段，共 {frames} 帧，约 {gaps} 处不同的半秒间隔；其中七分之一预留用于检验。"
    ),
    "No foot comes to rest on the ground, so none was locked.": "没有脚停在地面上，因此没有锁定。",
    "Only frame {frame} was animated; the others were not used.": "只有第 {frame} 帧动了起来；其余的帧没有使用。",
    "Paint frame {frame} next{more}: {before} of what the shot shows is covered, {after} after that.": (
        "建议接着画第 {frame} 帧{more}：现在覆盖了镜头画面的 {before}，之后为 {after}。"
    ),
    "The clip is so short that the motion may come to rest; give it a second or more to go by.": (
        "运动片段太短，运动可能会停下来；请给出一秒或更长的依据。"
    ),
    "The footage is cut at frame {frame}; paint a key on each side of it.": (
        "素材在第 {frame} 帧处有剪接；请在其两侧各画一个手绘帧。"
    ),
    "The frames are too few to learn their motion from; optical flow alone made what lies between.": (
        "帧数太少，无法学习其运动；中间的画面仅由光流生成。"
    ),
    "The keys cover {covered} of what the shot shows, and no other frame would add to it.": (
        "手绘帧覆盖了镜头画面的 {covered}，再画其他帧也不会增加。"
    ),
    "The model '{model}' is unknown to this engine, so the plain curves were used.": (
        "此引擎没有模型“{model}”，因此使用了普通曲线。"
    ),
    "The model '{model}' is unknown to this engine.": "此引擎没有模型“{model}”。",
    " The motion coasts to rest instead.": "运动将逐渐停下。",
    "The network needs at least a tenth of a second of motion to go by; choose more frames.": (
        "神经网络至少需要十分之一秒的运动作为依据；请选择更多帧。"
    ),
    "The network needs {fewest} bones that turn, and here are {count}.": (
        "神经网络需要 {fewest} 根旋转的骨骼，这里只有 {count} 根。"
    ),
    "The painted frames {frames} have another size than the shot and were resampled to {width} x {height} pixels.": (
        "手绘帧 {frames} 的尺寸与镜头不同，已重新采样为 {width} x {height} 像素。"
    ),
    "The plain curves were used: all bones sit in one point, so the network cannot tell the rig's shape.": (
        "使用了普通曲线：所有骨骼都在同一点上，神经网络无法判断绑定的形状。"
    ),
    "The plain curves were used: the network needs {fewest} bones that turn, and here are {count}.": (
        "使用了普通曲线：神经网络需要 {fewest} 根旋转的骨骼，这里只有 {count} 根。"
    ),
    "The rig turns by {degrees} degrees in a cycle, which Blender's Cycles modifier cannot go on with; ask for repeats instead,"
    " or do not keep the root's motion.": (
        "绑定在一个循环中转了 {degrees} 度，Blender 的“循环”修改器无法这样继续；请改为生成更多循环，或不保留根骨骼的运动。"
    ),
    "The sequence is EXR and the result has 8 bits; choose EXR to keep its light.": (
        "序列是 EXR，而结果只有 8 位；要保留其光照，请选择 EXR。"
    ),
    "The style does not know {names}, by name, and paints after the colours alone there.": (
        "风格中没有名为 {names} 的物体，在那里只按颜色绘制。"
    ),
    "There the error is {part} below the shipped network's.": "检验误差比自带的神经网络低 {part}。",
    "What is seen is drawn anew in each frame rather than moved, so nothing lies between; neighbours were mixed there.": (
        "画面内容是逐帧重画而不是移动的，因此中间无可推算；那里混合了相邻的帧。"
    ),
    "{count} frames are few: what is made of them will repeat itself; {better} or more are better.": (
        "{count} 帧偏少：由此生成的画面会重复；最好有 {better} 帧或更多。"
    ),
}

MOTION_JOBS = {
    "A cycle needs at least {shortest} frames; choose a longer range.": "循环至少需要 {shortest} 帧；请选择更长的范围。",
    "A cycle's blend must be at least 1 frame, not {blend}.": "循环的混合至少要有 1 帧，不能是 {blend}。",
    "Every clip is too short to hold back a part to test on; choose longer Actions.": (
        "每个运动片段都太短，无法预留一部分用于检验；请选择更长的动作。"
    ),
    "The clip '{name}' is of another rig than '{other}'; learn from clips of one rig.": (
        "运动片段“{name}”与“{other}”不属于同一绑定；请只学习同一绑定的运动片段。"
    ),
    "The clip's frame range {start} to {end} is empty or too long.": "运动片段的帧范围 {start} 至 {end} 为空或太长。",
    "The clips hold too little motion to learn from and test on; {seconds} seconds or more of a moving rig are needed.": (
        "运动片段中的运动太少，不足以学习和检验；需要 {seconds} 秒或更长的绑定运动。"
    ),
    "The motion came out as no numbers; choose the model 'baseline' (Plain Curves) and report the clip.": (
        "算出的运动不是有效数值；请选择模型“baseline”（普通曲线），并报告此运动片段。"
    ),
    "The motion style in {folder} was learned on another rig; choose one of this rig.": (
        "{folder} 中的运动风格是从另一个绑定学到的；请选择属于此绑定的。"
    ),
    "The number of frames to play on must be 1 to {most}, not {frames}.": "续演的帧数必须为 1 至 {most}，不能是 {frames}。",
    "There is no clip to learn from; choose Actions of this rig.": "没有可供学习的运动片段；请选择此绑定的动作。",
    "There is no learned motion style for this in {folder}; learn one, or choose none.": (
        "{folder} 中没有为此学到的运动风格；请学习一个，或不选择。"
    ),
    "There is no motion before the target; choose more frames.": "目标之前没有运动；请选择更多帧。",
    "There is no motion before the way that the root is to go; choose more frames.": (
        "在根骨骼要走的路线之前没有运动；请选择更多帧。"
    ),
    "There is nothing to clean: select animated bones or channels over {shortest} frames or more.": (
        "没有可清理的内容：请选择有 {shortest} 帧或更多动画的骨骼或通道。"
    ),
    "{file}: '{name}' holds a quaternion that is not of unit length; export it again.": (
        "{file}：“{name}”含有长度不为 1 的四元数；请重新导出。"
    ),
    "{file}: '{name}' holds a value that is no number.": "{file}：“{name}”含有不是数字的值。",
    "{file}: '{name}' holds a value that is no number; look for it in the rig and export again.": (
        "{file}：“{name}”含有不是数字的值；请在绑定中找出它并重新导出。"
    ),
    "{file}: '{name}' is {kind} {shape} instead of {wanted} {wanted_shape}; export it again.": (
        "{file}：“{name}”是 {kind} {shape}，而不是 {wanted} {wanted_shape}；请重新导出。"
    ),
    "{file}: the arrays of '{name}' do not fit its skeleton.": "{file}：“{name}”的数组与其骨架不符。",
    "{name} holds no skeleton, or a value that is no number.": "{name} 没有骨架，或含有不是数字的值。",
    "{name} is damaged and cannot be read; export it again.": "{name} 已损坏，无法读取；请重新导出。",
    "{name} is damaged: {why}.": "{name} 已损坏：{why}。",
    "{name} is missing in {folder}; export the clip again.": "{folder} 中缺少 {name}；请重新导出运动片段。",
    "{name} is no BVH file that can be read: {why}.": "{name} 不是可读取的 BVH 文件：{why}。",
    "{name} is no motion-capture collection: it lacks '{lacking}'.": "{name} 不是动作捕捉数据集：缺少“{lacking}”。",
    "{name} lacks the array '{array}'; export it again.": "{name} 缺少数组“{array}”；请重新导出。",
    "{name} would need {size} GiB of memory; export fewer frames or joints.": (
        "{name} 需要 {size} GiB 内存；请减少导出的帧或关节。"
    ),
    "{repeats} repeats of this cycle would not be 0 to {most} frames; ask for others.": (
        "此循环重复 {repeats} 次超出了 0 至 {most} 帧；请改用其他次数。"
    ),
}

PICTURE_JOBS = {
    "'{how}' is no way to combine: choose CROSS_FADE, MASK or OBJECTS.": (
        "“{how}”不是合并方式：请选择 CROSS_FADE、MASK 或 OBJECTS。"
    ),
    "'{how}' is nothing to make: choose CONTINUE, LOOP, VARY, BETWEEN or ANIMATE.": (
        "“{how}”不是生成方式：请选择 CONTINUE、LOOP、VARY、BETWEEN 或 ANIMATE。"
    ),
    "All frames look the same, so there is no motion to learn; give a sequence that moves.": (
        "所有帧看起来都一样，没有可学习的运动；请给出有运动的序列。"
    ),
    "An edge can be softened over 0 to {most} pixels, not {feather}.": "边缘可以柔化 0 至 {most} 像素，不能是 {feather}。",
    "Frame {frame} is missing in {folder}; choose frames that all sequences have.": (
        "{folder} 中缺少第 {frame} 帧；请选择所有序列都有的帧。"
    ),
    "Frame {frame} is missing; fill the gaps with Between first, or give frames without any.": (
        "缺少第 {frame} 帧；请先用“补帧”补上缺失的帧，或给出不缺帧的序列。"
    ),
    "Frames between frames need at least two pictures; add more to the sequence.": (
        "“补帧”至少需要两张图片；请在序列中增加图片。"
    ),
    "Frames {start} to {end} are none or too many to combine.": "第 {start} 至 {end} 帧为空或太多，无法合并。",
    "Frames {start} to {end} are not all in the captured range {first} to {last}; capture them first.": (
        "第 {start} 至 {end} 帧不全在采集范围 {first} 至 {last} 之内；请先采集。"
    ),
    "Motion can be slowed down 1 to 64 times, not {times}.": "运动可以放慢 1 至 64 倍，不能是 {times}。",
    "Pictures of {width} x {height} pixels are too small to learn from; give larger ones.": (
        "{width} x {height} 像素的图片太小，无法学习；请给出更大的图片。"
    ),
    "The depth must be 8, 16 or EXR, not '{depth}'.": "位深必须是 8、16 或 EXR，不能是“{depth}”。",
    "The guide 'id' of frame {frame} holds numbers that are no objects; capture frame {frame} again.": (
        "第 {frame} 帧的引导图“id”含有不属于任何物体的编号；请重新采集第 {frame} 帧。"
    ),
    "The guide '{guide}' in {path} holds values that are not finite; {remedy}.": (
        "{path} 中的引导图“{guide}”含有非有限值；{remedy}。"
    ),
    "The learned motion in {folder} is damaged or of another version; learn the sequence again.": (
        "{folder} 中学到的运动已损坏或版本不同；请重新学习序列。"
    ),
    "The number of frames to make must be 2 to {most}, not {count}.": "生成的帧数必须为 2 至 {most}，不能是 {count}。",
    "The number of frames to suggest must be at least 1, not {count}.": "建议的帧数至少为 1，不能是 {count}。",
    "The painted frame {frame} is not in the captured range {start} to {end}.": (
        "手绘帧 {frame} 不在采集范围 {start} 至 {end} 之内。"
    ),
    "The painted frame {path} is missing; put it back or train again.": "缺少手绘帧 {path}；请放回原处，或重新训练。",
    "The painted frame {path} is missing; save it there or take it off the list.": (
        "缺少手绘帧 {path}；请保存到那里，或把它从列表中去掉。"
    ),
    "The picture of frame {frame} in {folder} is not named as frames are; name it {name}.png.": (
        "{folder} 中第 {frame} 帧的图片没有按帧号命名；请命名为 {name}.png。"
    ),
    "The picture of frame {frame} is not named as frames are; name it {name}.png.": (
        "第 {frame} 帧的图片没有按帧号命名；请命名为 {name}.png。"
    ),
    "The sequence goes on to what it never showed before, as one of a travelling camera or of something that grows or ends"
    " does, and cannot be continued; give a part of it that stays in one place.": (
        "序列不断出现从未显示过的内容（例如摄像机移动、物体生长或消失），无法接续；请给出其中停留在原处的一段。"
    ),
    "The shot has a guide '{guide}' that this engine does not know; update the engine.": (
        "镜头含有此引擎不认识的引导图“{guide}”；请更新引擎。"
    ),
    "The shot has no object with the number {number}; choose the objects again.": (
        "镜头中没有编号为 {number} 的物体；请重新选择物体。"
    ),
    "The shot was captured without the guide '{guide}'; capture it again with all guides.": (
        "采集镜头时没有引导图“{guide}”；请连同所有引导图重新采集。"
    ),
    "The shot's frame range {start} to {end} is empty or too long; capture it again.": (
        "镜头的帧范围 {start} 至 {end} 为空或太长；请重新采集。"
    ),
    "The shot's size {width} x {height} is out of bounds (1 to {most}); capture it again.": (
        "镜头的尺寸 {width} x {height} 超出范围（1 至 {most}）；请重新采集。"
    ),
    "The {setting} must be 0 to {most}, not {value}.": "{setting}必须为 0 至 {most}，不能是 {value}。",
    "The variation must be 0 to 1, not {value}.": "变化必须为 0 至 1，不能是 {value}。",
    "There are no pictures in {folder}; put a picture sequence there, NNNN.png or NNNN.exr.": (
        "{folder} 中没有图片；请在那里放入图像序列，如 NNNN.png 或 NNNN.exr。"
    ),
    "There is a cut between frames {before} and {after}; give the frames before it or after it.": (
        "第 {before} 与 {after} 帧之间有剪接；请给出它之前或之后的帧。"
    ),
    "There is no folder of pictures {place}; choose one.": "图片文件夹 {place} 不存在；请选择一个。",
    "There is no learned sequence in {folder}; choose the folder of one.": "{folder} 中没有学习过的序列；请选择其文件夹。",
    "There is no style in {folder}; choose the folder of a saved style.": (
        "{folder} 中没有风格；请选择已保存风格的文件夹。"
    ),
    "{count} frames are too few to learn motion from; give at least {fewest}, better {better} or more.": (
        "{count} 帧太少，无法学习运动；请至少给出 {fewest} 帧，最好 {better} 帧或更多。"
    ),
    "{count} pictures of {width} x {height} pixels are too much to hold in memory; give fewer or smaller ones.": (
        "内存装不下 {count} 张 {width} x {height} 像素的图片；请减少图片，或改用较小的图片。"
    ),
    "{name} and {first} have different sizes; give all pictures {width} x {height} pixels.": (
        "{name} 与 {first} 尺寸不同；请把所有图片都改为 {width} x {height} 像素。"
    ),
    "{path} has no pass '{layer}' for the guide '{guide}'; {remedy}.": (
        "{path} 缺少引导图“{guide}”所需的通道“{layer}”；{remedy}。"
    ),
    "{path} holds values that are not finite; render it again.": "{path} 含有非有限值；请重新渲染。",
    "{path} is damaged or no OpenEXR file; {remedy}.": "{path} 已损坏或不是 OpenEXR 文件；{remedy}。",
    "{path} is damaged or no PNG; {remedy}.": "{path} 已损坏或不是 PNG；{remedy}。",
    "{path} is damaged or no {kind}; make it again.": "{path} 已损坏或不是 {kind}；请重新生成。",
    "{path} is larger than {most} pixels; make it smaller.": "{path} 超过 {most} 像素；请缩小它。",
    "{path} is missing; {remedy}.": "缺少 {path}；{remedy}。",
    "{path} is transparent all over; paint something on it.": "{path} 完全透明；请在上面绘制。",
    "{path} is {width} x {height} and the shot {shot_width} x {shot_height} pixels; {remedy}.": (
        "{path} 为 {width} x {height} 像素，镜头为 {shot_width} x {shot_height} 像素；{remedy}。"
    ),
    "{path} is {width} x {height} and {first} {usual_width} x {usual_height} pixels; give all pictures one size.": (
        "{path} 为 {width} x {height} 像素，{first} 为 {usual_width} x {usual_height} 像素；请让所有图片尺寸一致。"
    ),
    "{path} is {width} x {height} and {first} {usual_width} x {usual_height} pixels; give both sequences, and the mask, the same"
    " size.": (
        "{path} 为 {width} x {height} 像素，{first} 为 {usual_width} x {usual_height} 像素；请让两个序列和遮罩尺寸一致。"
    ),
    "None of the chosen objects is seen in these frames; choose others.": "这些帧中看不到所选物体；请另选物体。",
}

ENGINE = PROGRESS | NOTES | MOTION_JOBS | PICTURE_JOBS
