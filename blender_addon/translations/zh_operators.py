"""Simplified Chinese of the operators: their buttons, tooltips and options. Words alone. A tooltip's key is the docstring,
with its line breaks."""

# Blender has these words already, for something else: they are looked up in a context of the extension's own.
OWN = {
    "Look": "外观",
    "Strength": "强度",
    "Light": "光照",
    "Strokes": "笔触",
    "Style": "风格",
    "Amount": "幅度",
    "Clean": "清理",
    "Delete Generated Keys": "删除生成的关键帧",
    "Make": "生成方式",
    "Continue": "接续",
    "Loop": "循环",
    "Vary": "变化",
    "Between": "补帧",
    "Animate": "让图片动起来",
}

# Looked up among operators, where the same word may stand for something else.
BUTTONS = {
    "Use Again": "再次使用",
    "Allow Online Access": "允许联机访问",
    "Act Amount": "表演幅度",
    "Back to the Shot": "返回镜头",
    "Add Look Preset": "添加外观预设",
    "Add Training Preset": "添加训练预设",
    "Add Motion Preset": "添加运动预设",
    "Add Generate Preset": "添加生成预设",
    "Cancel": "取消",
    "Capture": "采集",
    "Combine": "合并",
    "Delete Style": "删除风格",
    "Earlier Style": "先前的风格",
    "Extrapolate": "外推",
    "Go On": "继续训练",
    "Good Enough": "已经够好",
    "In-Between": "中间帧",
    "Install Engine": "安装引擎",
    "Learn": "学习",
    "Loop": "循环",
    "Paint This Frame": "绘制此帧",
    "Paint a Part": "绘制局部",
    "Play On": "续演",
    "Reduce Keys": "精简关键帧",
    "Remove Engine": "移除引擎",
    "Remove Key": "移除手绘帧",
    "Repair": "修复",
    "Save Painting": "保存绘制",
    "Save Style": "保存风格",
    "Show Preview": "显示预览",
    "Show Result": "显示结果",
    "Start": "启动",
    "Start Engine": "启动引擎",
    "Stylise": "风格化",
    "Suggest Next Key": "建议下一手绘帧",
    "Train Style": "训练风格",
    "Update Engine": "更新引擎",
    "Use Footage": "使用素材",
    "Use Image as Key": "用图像作手绘帧",
    "Use as Key": "用作手绘帧",
    "Strip": "片段",
    "View": "视图",
    "Node": "节点",
    "Texture": "纹理",
    "Generate": "生成",
    "Save": "保存",
    "Show Take": "显示版本",
    "Delete Learned Sequence": "删除学习过的序列",
}

OPERATORS = {
    "Make the frames between the selected keys of the selected bones (or between all their keys).\n\nYour own keys stay as"
    " they are. The new ones are of the type Generated: run this again and they are made anew, pose\nover one and it is"
    " yours": (
        "为所选骨骼在选中的关键帧之间（或全部关键帧之间）生成中间帧。\n\n你自己的关键帧保持不变。新的关键帧属于“生成”类型："
        "再次运行会重新生成，\n在其上重摆姿态后它就归你所有"
    ),
    "Play the motion of the selected bones on after their last key (or last selected key).\n\nYour own keys stay as they are:"
    " where one comes later, the motion stops before it, or arrives at it if To Next Key\nis on;"
    " but where the root alone is keyed further, the rest goes along with it": (
        "让所选骨骼的运动在最后一个（或最后选中的）关键帧之后继续演下去。\n\n你自己的关键帧保持不变：若后面还有关键帧，运动"
        "在它之前停止，\n开启“到下一关键帧”时则到达它；若只有根骨骼在后面还有关键帧，其余部分会随它前行"
    ),
    "Delete the keys that Understudy made for the selected bones. Keys of your own stay, also those of generated keys\nthat"
    " you have posed over": (
        "删除 Understudy 为所选骨骼生成的关键帧。你自己的关键帧会保留，\n包括你重摆过姿态的生成关键帧"
    ),
    "Make many keys few, such as those of captured motion, so that at every frame the curves stay within the bound of\nwhat"
    " they were. The first and the last key of every channel stay": (
        "精简密集的关键帧（例如动作捕捉数据），使曲线在每一帧上与原来的偏差都不超过设定范围。\n每个通道的首尾关键帧会保留"
    ),
    "Make the motion of the range a cycle: its end meets its beginning in pose and velocity. The result is a new action,"
    "\nthe present one is kept": ("把范围内的运动做成循环：首尾的姿态和速度都相接。\n结果是一个新动作，当前动作会保留"),
    "Take jitter out of captured motion, hold the feet where they stand, and make its keys few. The result is a new"
    "\naction, the present one is kept": (
        "去除动作捕捉数据中的抖动，让踩住地面的脚不打滑，并精简关键帧。\n结果是一个新动作，当前动作会保留"
    ),
    "Learn how this rig moves from your own actions of it. It is tested on motion held back, and used only if it is better"
    "\nthere": ("从你为此绑定制作的动作中学习它的运动方式。用预留的运动进行检验，\n只有效果更好时才会采用"),
    "Open the slider on the last result again, as long as its keys are as they were made": (
        "重新打开上次结果的滑块，前提是生成的关键帧没有改动过"
    ),
    "Find the frame that shows most of what no painted frame shows, go there, and show what is not covered yet": (
        "找出包含最多未绘制内容的帧，跳转到该帧，并显示尚未覆盖的部分"
    ),
    "Render the frames of the scene's range, and what the engine must know about them, into the shot's job folder": (
        "把场景范围内的帧以及引擎所需的信息渲染到镜头的任务文件夹"
    ),
    "Open this frame for painting: a copy of the captured picture, or the key that was painted before": (
        "打开此帧进行绘制：采集画面的副本，或之前画过的手绘帧"
    ),
    "Make the image that the Image Editor shows a key of this frame, as it is shown: painted in Blender, packed or"
    "\ngenerated, of 8 bit or float. Where it is transparent it counts as unpainted": (
        "把图像编辑器中的图像按显示效果用作此帧的手绘帧：在 Blender 中绘制的、打包的\n或生成的均可，8 位或浮点均可。透明之"
        "处视为未绘制"
    ),
    "This frame is no key any more. Its painting is moved to the folder keys/unused, not deleted": (
        "此帧不再是手绘帧。画作会移到 keys/unused 文件夹，不会删除"
    ),
    "Teach the engine the look of the painted frames": "让引擎学会手绘帧的画风",
    "Paint every captured frame in the trained style": "用训练好的风格绘制采集的每一帧",
    "Show the scene again whose result this is": "重新显示此结果所属的场景",
    "Show the finished frames": "显示完成的帧",
    "Save the look as a preset, or delete a preset": "把外观存为预设，或删除预设",
    "Save what the frames show and how long to train as a preset, or delete a preset": (
        "把画面内容和训练时长存为预设，或删除预设"
    ),
    "Save how keys are made as a preset, or delete a preset": "把关键帧的生成方式存为预设，或删除预设",
    "Save how more is made of a sequence as a preset, or delete a preset": "把画面的生成方式存为预设，或删除预设",
    "Save the trained style under a name, to use it in other shots: its weights and the painted frames they come from": (
        "为训练好的风格命名并保存，以便用于其他镜头：包括权重和训练所用的手绘帧"
    ),
    "Delete the saved style that is chosen, with its files. Shots that were painted with it keep their frames": (
        "删除所选的已保存风格及其文件。用它绘制的镜头会保留已有的帧"
    ),
    "Bring back the style as it was before the last training from nothing. The last one is kept: press again to return to"
    " it": ("恢复最近一次从头训练之前的风格。现在的风格会保留：再按一次即可换回"),
    "Paint over the active movie or image strip: its frames become the shot that Paint This Frame, Train Style and Stylise"
    "\nwork on": ("在活动的影片或图像片段上绘制：它的帧成为“绘制此帧”“训练风格”和“风格化”\n所处理的镜头"),
    "Put the two selected movie or image strips together, where they overlap in time: the lower one first, the upper one"
    "\nsecond": ("把选中的两个影片或图像片段在时间重叠处合并起来：下方为第一个，\n上方为第二个"),
    "Give the running job up. What is finished is kept": "放弃正在运行的任务。已完成的部分会保留",
    "End the training now and keep what it has learned": "立即结束训练并保留已学到的内容",
    "Show what the running job is painting, in an open Image Editor or beside this view. It is brought up to date every"
    "\nfew seconds": ("在已打开的图像编辑器中或此视图旁边显示任务正在绘制的画面。\n每隔几秒更新一次"),
    "Start the engine now, so that the first job need not wait for it": "现在启动引擎，第一个任务就不必等待",
    "Make the engine's environment: torch for this machine and the engine itself, outside the extension's folder.\n\nAn"
    " environment that is there is brought up to date; one that was not finished is gone on with": (
        "建立引擎的环境：适合本机的 torch 和引擎本身，位于扩展文件夹之外。\n\n已有的环境会被更新；未完成的安装会继续进行"
    ),
    "Stop installing the engine. What was fetched is kept for the next try": "停止安装引擎。已下载的内容会保留到下次使用",
    "Delete the environment that Install Engine made. Styles, shots and results stay": (
        "删除“安装引擎”建立的环境。风格、镜头和结果都会保留"
    ),
    "Name": "名称",
    "A name that no saved style has yet": "尚未被已保存风格使用的名称",
    "Empty: the style that this scene has chosen": "留空则为此场景选择的风格",
    "Transparent": "透明",
    "Begin with a picture that is transparent all over: only what is painted on it counts, the rest of the frame is left to"
    " the other keys. The colours of the frame show through; erase (brush blend Erase Alpha) to take paint away again. Has"
    " no effect on a key that is there already": (
        "从完全透明的画面开始：只有画上去的部分有效，其余部分由其他手绘帧决定。帧的颜色会透出来；用“擦除 Alpha”混合模式的"
        "笔刷可以擦掉颜料。对已有的手绘帧不起作用"
    ),
    "Image": "图像",
    "Name of the image; empty: the one that the Image Editor shows": "图像名称；留空则为图像编辑器中显示的图像",
    "Replace": "替换",
    "Replace the key that this frame has; the old one is moved to the folder keys/unused": (
        "替换此帧已有的手绘帧；旧的会移到 keys/unused 文件夹"
    ),
    "Go On": "继续训练",
    "Start from the style that was trained before, not from nothing": "在之前训练的风格上继续，而不是从头开始",
    "Overwrite": "覆盖",
    "Paint every frame again, also those in the result folder that are not Understudy's own. Without it, frames of another"
    " style, key or seed are painted again": (
        "重新绘制每一帧，包括结果文件夹中不是由 Understudy 生成的帧。不开启时，只重新绘制风格、手绘帧或随机种不同的帧"
    ),
    "Place": "位置",
    "Where the frames are shown": "在何处显示这些帧",
    "Video Sequencer": "视频序列编辑器",
    "As an image strip in a scene of its own, and go there": "放进一个单独的场景作为图像片段，并切换到那里",
    "Camera View": "摄像机视图",
    "Before the camera, in step with the timeline": "显示在摄像机画面中，与时间线同步",
    "Compositor": "合成器",
    "As an image node in this scene's compositing tree": "作为此场景合成节点树中的图像节点",
    "Material": "材质",
    "As an image texture in the active object's material": "作为活动物体材质中的图像纹理",
    "Repair": "修复",
    "Delete the environment and make it anew": "删除环境并重新建立",
    "A movie or picture to use instead of the active strip": "代替活动片段使用的影片或图片",
    "Read Again": "重新读取",
    "Read the frames anew where this strip was used before; painted keys and results are kept": (
        "此片段之前用过时，重新读取它的帧；手绘帧和结果会保留"
    ),
    "Names, * for anything, commas part several; empty: as the scene says": (
        "名称，* 代表任意字符，多个名称用逗号分隔；留空则按场景设置"
    ),
    "Seconds": "秒",
    "0: as the scene says": "0 表示按场景设置",
    "Bones": "骨骼",
    "Where keys are made": "在哪里生成关键帧",
    "Whose keys are meant": "处理谁的关键帧",
    "The selected bones; outside Pose Mode the object, or its bones if only they have keys": (
        "所选骨骼；不在姿态模式时为物体本身，若只有骨骼带关键帧则为其骨骼"
    ),
    "Every bone of the armature; an object that is none, or has no keyed bone, as a whole": (
        "骨架的所有骨骼；不是骨架或没有骨骼关键帧的物体则作为整体处理"
    ),
    "Only Active": "仅活动的",
    "Leave other selected objects alone": "不处理其他选中的物体",
    "Selected Keys": "选中的关键帧",
    "Keep to the keys that are selected in the Dope Sheet; if none are, take all": (
        "只用动画摄影表中选中的关键帧；若没有选中，则使用全部"
    ),
    "auto, baseline or a network; empty: as the scene says": "auto、baseline 或某个网络；留空则按场景设置",
    "-1: as the scene says": "-1 表示按场景设置",
    "From": "从",
    "First frame; both 0: the scene's (preview) range": "第一帧；两者都为 0 时使用场景的（预览）范围",
    "To": "到",
    "Last frame; both 0: the scene's (preview) range": "最后一帧；两者都为 0 时使用场景的（预览）范围",
    "How many frames to add; 0: as the scene says": "增加多少帧；0 表示按场景设置",
    "Arrive at the next key, however far it is": "到达下一个关键帧，无论相距多远",
    "Degrees": "角度",
    "Frames that may change; 0: as the scene says": "可以改动的帧数；0 表示按场景设置",
    "Seconds; below 0: as the scene says": "秒；小于 0 表示按场景设置",
    "0: the plain interpolation, 1: as acted, up to 1.5: more of it": "0 为普通插值，1 为完整表演，最大 1.5 为更夸张",
    "How far another seed may stray": "其他随机种的结果可以相差多大",
    "Make more of a picture sequence, such as smoke, water or the boiling line of a drawing. It is learned first, once,"
    " which\ntakes a few minutes. The frames come as a strip of their own; what they are made from is left as it is": (
        "由图像序列（例如烟、水或手绘线条的抖动）生成更多画面。会先学习一次，需要几分钟。\n生成的帧成为单独的片段，原来的"
        "内容保持不变"
    ),
    "Learn a picture sequence, its looks and its motion, so that Generate need not. Once it is saved under a name, its"
    " motion\ncan be given to a picture elsewhere": (
        "学习图像序列的外观和运动，生成时就不必再学。以名称保存后，\n可以把它的运动用到别处的图片上"
    ),
    "Save what was learned of this sequence under a name, to give its motion to a picture, here or in other files": (
        "以名称保存从此序列学到的内容，以便把它的运动用到图片上，可用于此文件或其他文件"
    ),
    "Delete the learned sequence that is chosen, with its files. Frames that were made with it stay": (
        "删除所选的学习过的序列及其文件。用它生成的帧会保留"
    ),
    "Show the frames that were made last": "显示最近生成的帧",
    "Bring back the look of an earlier run and the style that it was painted with; press Stylise to paint with them. The style"
    "\nin use now is kept as the earlier one": (
        "取回以前某次运行的外观和所用的风格；再按“风格化”即可用它们绘制。\n现在使用的风格会保留为较早的风格"
    ),
    "Of the run in the history; 0: the last one": "历史记录中的编号；0 表示最近一次",
}
